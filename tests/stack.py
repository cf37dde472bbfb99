"""The whole product on free ports of loopback, for tests and benchmarks: every process for real, each with its own log.

    with Stack() as stack:
        print(stack.url)
        stack.kill("rasa")
        stack.start("rasa")

Redis, the database and the logs live in a temporary folder that goes with it. Nothing of the caller's environment but
the bare necessities reaches the processes, so a developer's own settings change no test.
"""

from __future__ import annotations

import atexit
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from redis import Redis
from redis.exceptions import RedisError

from bot.processes import rasa as rasa_process
from bot.processes import redis as redis_process
from bot.processes.training import is_trained
from integrations.base.settings import ROOT

ORDER = ("redis", "sandbox", "actions", "rasa", "speech", "gateway", "worker")
"""Of starting; stopping goes backwards."""
PATIENCE = {
    "redis": 15.0, "sandbox": 40.0, "actions": 60.0, "rasa": 120.0, "speech": 120.0, "gateway": 60.0, "worker": 60.0,
}  # fmt: skip
"""Seconds until a process has to answer. They only bound the wait for one that hangs; two busy cores are slow."""
TOKEN = "stack-rasa-token"
SPEECH_TOKEN = "stack-speech-token"
TWILIO_NUMBER = "+15555550100"


class StackError(RuntimeError):
    """A process did not start or ended; the text names it and shows the end of its log."""


def free_port() -> int:
    """A port where nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True)
class Process:
    """One process of the stack."""

    name: str
    log: Path
    popen: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        """Whether it has been started and has not ended."""
        return self.popen is not None and self.popen.poll() is None

    def tail(self, lines: int = 25) -> str:
        """The end of its log."""
        if not self.log.exists():
            return "(no log)"
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]) or "(empty log)"


class Stack:
    """All processes of Porchlight.

    Args:
        service_points: how large the simulated utility is.
        settings: environment variables of the processes, beside and before our own.
        without: processes that `start_all` leaves out.
        rasa_processes: how many Rasa servers share the conversations.
        speech: also the speech process, which takes seconds and half a gigabyte and few tests need.
    """

    def __init__(
        self,
        service_points: int = 20_000,
        settings: Mapping[str, str] | None = None,
        without: Iterable[str] = (),
        rasa_processes: int = 1,
        speech: bool = False,
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="porchlight-stack-", ignore_cleanup_errors=True)
        self.folder = Path(self._folder.name)
        self.ports = {name: free_port() for name in ("redis", "sandbox", "actions", "speech", "gateway")}
        self.rasa_ports = [free_port() for _ in range(rasa_processes)]
        self.database = self.folder / "porchlight.db"
        self._without = frozenset(without)
        self._wanted = [name for name in ORDER if name not in self._without and (speech or name != "speech")]
        self.processes = {name: Process(name, self.folder / f"{name}.log") for name in ORDER}
        self._service_points = service_points
        self._settings = dict(settings or {})

    # -- where things are

    @property
    def url(self) -> str:
        """The gateway."""
        return f"http://127.0.0.1:{self.ports['gateway']}"

    @property
    def ws_url(self) -> str:
        """The gateway, for WebSockets."""
        return f"ws://127.0.0.1:{self.ports['gateway']}"

    @property
    def sandbox_url(self) -> str:
        """The simulated utility."""
        return f"http://127.0.0.1:{self.ports['sandbox']}"

    @property
    def actions_url(self) -> str:
        """The action server."""
        return f"http://127.0.0.1:{self.ports['actions']}"

    @property
    def rasa_urls(self) -> list[str]:
        """The Rasa servers."""
        return [f"http://127.0.0.1:{port}" for port in self.rasa_ports]

    @property
    def redis_url(self) -> str:
        """The embedded Redis."""
        return f"redis://127.0.0.1:{self.ports['redis']}/0"

    def redis(self) -> Redis:
        """A client of the embedded Redis, with decoded answers; close it."""
        return Redis.from_url(self.redis_url, decode_responses=True, socket_timeout=5.0)

    @property
    def environment(self) -> dict[str, str]:
        """What the processes are told."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        return {
            **kept,
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "HOST": "127.0.0.1",
            "PORT": str(self.ports["gateway"]),
            "PUBLIC_URL": self.url,
            "REDIS_URL": self.redis_url,
            "DATABASE_URL": f"sqlite+aiosqlite:///{self.database}",
            "RUN_DIR": str(self.folder),
            "RASA_URLS": ",".join(self.rasa_urls),
            "RASA_TOKEN": TOKEN,
            "ACTIONS_PORT": str(self.ports["actions"]),
            "ACTIONS_URL": f"{self.actions_url}/webhook",
            "SPEECH_PORT": str(self.ports["speech"]),
            "SPEECH_TOKEN": SPEECH_TOKEN,
            "SANDBOX": "true",
            "SANDBOX_PORT": str(self.ports["sandbox"]),
            "SANDBOX_SERVICE_POINTS": str(self._service_points),
            "TWILIO_PHONE_NUMBER": TWILIO_NUMBER,
            "WEBCHAT_SECRET": "stack-webchat-secret",
            "LOG_JSON": "true",
            **self._settings,
        }

    # -- all of it

    def start_all(self) -> None:
        """Start everything and wait until the gateway says that it is ready.

        Raises:
            StackError: naming the process that is the reason, with the end of its log.
        """
        if not is_trained():
            raise StackError("The assistant is not trained, or data/ has changed since: run 'make train'")
        atexit.register(self.close)
        wanted = self._wanted
        # The board asks the OMS as it starts, and everything needs Redis; the others start together.
        for name in wanted[:2]:
            self.start(name)
        for name in wanted[2:]:
            self._launch(name)
        for name in wanted[2:]:
            self._await(name)
        if not self._without:
            self.wait_ready()

    def wait_ready(self, seconds: float = 60.0) -> None:
        """Wait for `/readyz`.

        Raises:
            StackError: naming what is not ready.
        """
        answer: Any = "no answer"

        def ready() -> bool:
            nonlocal answer
            response = httpx.get(f"{self.url}/readyz", timeout=5.0)
            answer = response.json()
            return response.status_code == 200

        if not self._until(ready, seconds, "gateway"):
            raise StackError(f"/readyz does not say ready: {answer}\n{self.processes['gateway'].tail()}")

    def close(self) -> None:
        """Stop everything and remove the folder."""
        atexit.unregister(self.close)
        for name in reversed(ORDER):
            self.kill(name) if name != "redis" else self.stop(name)
        self._folder.cleanup()

    def __enter__(self) -> Stack:
        """Start everything."""
        try:
            self.start_all()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop everything."""
        self.close()

    # -- single processes

    def start(self, *names: str) -> None:
        """Start processes (together) and wait until they answer.

        Raises:
            StackError: one ended or does not answer, with the end of its log.
        """
        for name in names:
            self._launch(name)
        for name in names:
            self._await(name)

    def stop(self, *names: str, seconds: float = 15.0) -> None:
        """Ask processes to end, and wait for it; whoever does not is killed."""
        for name in names:
            self._signal(name, signal.SIGTERM)
        for name in names:
            popen = self.processes[name].popen
            if popen is not None:
                try:
                    popen.wait(seconds)
                except subprocess.TimeoutExpired:
                    self.kill(name)

    def kill(self, *names: str) -> None:
        """End processes as a crash would, without a chance to tidy up."""
        for name in names:
            self._signal(name, signal.SIGKILL)
            popen = self.processes[name].popen
            if popen is not None:
                popen.wait(10)

    def restart(self, *names: str, kill: bool = True) -> None:
        """End processes and start them again."""
        (self.kill if kill else self.stop)(*names)
        self.start(*names)

    def check(self) -> None:
        """Look whether everything that was started still runs.

        Raises:
            StackError: something has ended by itself, with the end of its log.
        """
        for process in self.processes.values():
            if process.popen is not None and process.popen.poll() is not None:
                raise StackError(f"{process.name} has ended with {process.popen.returncode}:\n{process.tail()}")

    def tail(self, name: str, lines: int = 25) -> str:
        """The end of a process's log."""
        return self.processes[name].tail(lines)

    # -- inside

    def _command(self, name: str) -> list[str]:
        if name == "redis":
            return redis_process.command(self.ports["redis"], self.folder / "redis")
        modules = {
            "sandbox": "integrations.sandbox",
            "actions": "actions",
            "rasa": "bot.processes.rasa",
            "speech": "voice.speech",
            "gateway": "bot.app",
            "worker": "bot.worker",
        }
        if name == "rasa" and len(self.rasa_ports) == 1:
            return rasa_process.command(self.rasa_ports[0])
        return [sys.executable, "-m", modules[name]]

    def _launch(self, name: str) -> None:
        process = self.processes[name]
        if process.is_running:
            raise StackError(f"{name} runs already")
        if name == "worker":
            # The last worker's sign of life outlives it by some seconds and must not be taken for this one's.
            with self.redis() as client:
                client.delete("worker:alive")
        with process.log.open("ab") as log:
            process.popen = subprocess.Popen(
                self._command(name),
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A group of its own, so that Ctrl-C reaches the tests only and Rasa's children end with it.
                start_new_session=True,
            )

    def _await(self, name: str) -> None:
        if not self._until(self._answers(name), PATIENCE[name], name):
            raise StackError(
                f"{name} does not answer after {PATIENCE[name]:.0f} s; the end of its log:\n"
                f"{self.processes[name].tail()}"
            )

    def _answers(self, name: str) -> Callable[[], bool]:
        if name in ("redis", "worker"):

            def by_redis() -> bool:
                with self.redis() as client:
                    return bool(client.ping()) if name == "redis" else bool(client.exists("worker:alive"))

            return by_redis
        addresses = {
            "sandbox": [f"{self.sandbox_url}/healthz"],
            "actions": [f"{self.actions_url}/health"],
            "speech": [f"http://127.0.0.1:{self.ports['speech']}/healthz"],
            "gateway": [f"{self.url}/healthz"],
            "rasa": [f"{url}/webhooks/gateway/" for url in self.rasa_urls],
        }[name]
        return lambda: all(httpx.get(address, timeout=2.0).status_code == 200 for address in addresses)

    def _until(self, answers: Callable[[], bool], seconds: float, name: str) -> bool:
        """Ask again and again; False when the time is up.

        Raises:
            StackError: the process has ended, so that asking on is useless.
        """
        process = self.processes[name]
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if process.popen is not None and process.popen.poll() is not None:
                raise StackError(
                    f"{name} has ended with {process.popen.returncode}; the end of its log:\n{process.tail()}"
                )
            try:
                if answers():
                    return True
            except (httpx.HTTPError, RedisError, ValueError):
                pass
            time.sleep(0.05)
        return False

    def _signal(self, name: str, number: signal.Signals) -> None:
        popen = self.processes[name].popen
        if popen is not None and popen.poll() is None:
            try:
                os.killpg(popen.pid, number)
            except ProcessLookupError:
                popen.poll()
