"""The two bots that turns are measured on: ours as it runs (tests/stack.py), and the same one on Rasa's stock pipeline.

Both use the same action server, Redis and simulated utility. Stock Rasa gets the same environment as ours (one thread a
numerical library), which favours it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import httpx
import psutil

from bench.environments import CACHE, ROOT, digest, quiet_environment, stock_python
from tests.stack import Stack, free_port

STOCK_EPOCHS = 10
"""Of DIET in the bot that is timed. How long it trained changes how often it is right, not how long a turn takes."""
START_SECONDS = 240.0


class NotStarted(RuntimeError):
    """The stock server did not start; the text shows the end of its log."""


def stock_model(epochs: int = STOCK_EPOCHS) -> Path:
    """The folder of the trained stock bot; trained when it is not there."""
    here = ROOT / "bench" / "stock"
    data = sorted(
        path for path in (ROOT / "data").glob("*/*.yml") if path.name in ("nlu.yml", "rules.yml", "domain.yml")
    )
    folder = CACHE / "stock-bot" / digest(here / "bot.py", here / "diet.py", here / "stories.yml", epochs, *data)
    if not (folder / "model.tar.gz").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        print(f"training the stock bot, DIET for {epochs} epochs", file=sys.stderr, flush=True)
        environment = {
            **os.environ,
            "RASA_CACHE_DIRECTORY": str(folder / "cache"),
            "ACTIONS_URL": "http://127.0.0.1:1",
            "STOCK_REDIS_PORT": "1",
        }
        command = [str(stock_python()), "-W", "ignore", str(here / "bot.py"), str(folder), str(epochs)]
        subprocess.run(command, check=True, cwd=folder, env=environment, stdout=sys.stderr)
    return folder


class StockRasa:
    """Stock Rasa's server on a free port of loopback, with the REST channel and the Redis tracker store."""

    def __init__(self, stack: Stack) -> None:
        """Prepare it.

        Args:
            stack: whose action server and Redis it uses.
        """
        self.folder = stock_model()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = stack.folder / "stock.log"
        self._environment = quiet_environment(
            ACTIONS_URL=f"{stack.actions_url}/webhook",
            STOCK_REDIS_PORT=str(stack.ports["redis"]),
            RASA_TELEMETRY_ENABLED="false",
            SQLALCHEMY_SILENCE_UBER_WARNING="1",
            TF_CPP_MIN_LOG_LEVEL="3",
            PYTHONWARNINGS="ignore",
        )
        self.popen: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> StockRasa:
        """Start it and wait until it answers.

        Raises:
            NotStarted: it ended, or does not answer.
        """
        command = [
            str(stock_python()), "-m", "rasa", "run", "--interface", "127.0.0.1", "--port", str(self.port), "--model",
            str(self.folder / "model.tar.gz"), "--endpoints", str(self.folder / "endpoints.yml"),
            "--credentials", str(self.folder / "credentials.yml"),
        ]  # fmt: skip
        with self.log.open("wb") as log:
            self.popen = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.popen.poll() is None:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{self.url}/", timeout=2.0).status_code == 200:
                    return self
            time.sleep(0.3)
        self.close()
        raise NotStarted(self.log.read_text(encoding="utf-8", errors="replace")[-2_000:])

    def close(self) -> None:
        """Stop it."""
        if self.popen is not None and self.popen.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.popen.pid, signal.SIGKILL)
            self.popen.wait(10)

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.close()


class Trees:
    """CPU time and memory of process trees.

    Args:
        roots: a name and the process id at the top of each tree.
    """

    def __init__(self, roots: Mapping[str, int]) -> None:
        self._roots = dict(roots)

    def _tree(self, name: str) -> Iterable[psutil.Process]:
        top = psutil.Process(self._roots[name])
        return [top, *top.children(recursive=True)]

    def cpu(self) -> dict[str, float]:
        """CPU seconds of user and kernel that each tree has used so far."""
        return {name: sum(_cpu_seconds(process) for process in self._tree(name)) for name in self._roots}

    def memory_mb(self, name: str) -> float:
        """Resident memory of a tree in megabytes (10^6)."""
        return sum(float(process.memory_info().rss) for process in self._tree(name)) / 1e6


def _cpu_seconds(process: psutil.Process) -> float:
    # Nanoseconds, where psutil's come in hundredths of a second; threads of a server live as long as it does.
    total = 0
    try:
        for task in Path(f"/proc/{process.pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        spent = process.cpu_times()
        return float(spent.user + spent.system)
    return total / 1e9
