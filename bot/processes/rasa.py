"""The Rasa processes, in their own environment: ``python -m bot.processes.rasa``.

One for each address in RASA_URLS. A conversation always goes to the same process, so processes share nothing but Redis.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

from integrations.base.settings import ROOT, Settings, SettingsError, get_settings

MODEL = ROOT / "models" / "assistant" / "assistant.tar.gz"


def python() -> Path:
    """Rasa's Python.

    Raises:
        FileNotFoundError: its environment is not set up, with what to run.
    """
    path = ROOT / "bot" / "core" / ".venv" / "bin" / "python"
    if not path.exists():
        raise FileNotFoundError("Rasa's environment is missing; run `make setup`")
    return path


def environment(settings: Settings) -> dict[str, str]:
    """What endpoints.yml and credentials.yml take from the environment."""
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",  # Rasa's old libraries deprecate each other at every start
        "REDIS_URL": settings.redis_url,
        "RASA_TOKEN": settings.rasa_token.get_secret_value(),
        "ACTIONS_URL": f"http://127.0.0.1:{settings.actions_port}/webhook",
    }


def command(port: int) -> list[str]:
    """One server, on the loopback interface."""
    return [
        str(python()), "-m", "bot.core.launcher", "run", "--interface", "127.0.0.1", "--port", str(port),
        "--model", str(MODEL), "--endpoints", "endpoints.yml", "--credentials", "credentials.yml",
    ]  # fmt: skip


def main() -> None:
    """Run until told to stop, or until one of them ends."""
    try:
        settings = get_settings()
        if not MODEL.exists():
            sys.exit("There is no trained assistant; run `make train`")
        ports = [urlsplit(url).port or 5005 for url in settings.rasa_url_list]
        servers = [subprocess.Popen(command(port), cwd=ROOT, env=environment(settings)) for port in ports]
    except (SettingsError, FileNotFoundError) as error:
        sys.exit(str(error))

    def stop(_: int, __: FrameType | None) -> None:
        for server in servers:
            server.terminate()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    codes = []
    for server in servers:
        codes.append(server.wait())
        stop(0, None)
    sys.exit(max(codes))


if __name__ == "__main__":
    main()
