"""All processes of one machine, started and stopped together: what `make run` runs."""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import honcho.environ
import honcho.manager
import honcho.printer

from bot.processes import training
from integrations.base.settings import ROOT, Settings, get_settings

READY_SECONDS = 180.0
STOP_SECONDS = 13
"""A turn under way has ten seconds to end; honcho's own five would cut it off."""


def secrets_of(folder: Path) -> dict[str, str]:
    """Secrets that hold these processes together, made once and kept readable by their owner only."""
    path = folder / "secrets.json"
    kept = json.loads(path.read_text()) if path.exists() else {}
    names = ("RASA_TOKEN", "WEBCHAT_SECRET", "OMS_PUSH_SECRET", "SPEECH_TOKEN")
    made = {str(name): str(value) for name, value in kept.items()}
    made |= {name: secrets.token_urlsafe(32) for name in names if name not in made}
    if made == kept:
        return made
    folder.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(made))
    return made


def taken_ports(settings: Settings) -> Iterator[str]:
    """The ports that somebody else listens on, with the setting that moves us elsewhere."""
    wanted = {
        "PORT": settings.port,
        "ACTIONS_PORT": settings.actions_port,
    }
    if not settings.speech_url:
        wanted["SPEECH_PORT"] = settings.speech_port
    for number, url in enumerate(settings.rasa_url_list, start=1):
        wanted[f"RASA_URLS (address {number})"] = urlsplit(url).port or 5005
    if settings.sandbox_on:
        wanted["SANDBOX_PORT"] = settings.sandbox_port
    if not settings.redis_external:
        wanted["REDIS_URL"] = urlsplit(settings.redis_url).port or 6379
    for name, port in wanted.items():
        with closing(socket.socket()) as probe:
            probe.settimeout(0.5)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                yield f"port {port} is in use; stop what listens there, or set {name}"


def processes(settings: Settings) -> list[tuple[str, str]]:
    """Name and command of each process in the Procfile that these settings need."""
    found = honcho.environ.parse_procfile((ROOT / "Procfile").read_text(encoding="utf-8")).processes
    leave_out = set()
    if not settings.sandbox_on:
        leave_out.add("sandbox")
    if settings.redis_external:
        leave_out.add("redis")
    if settings.speech_url:
        leave_out.add("speech")
    return [(name, command) for name, command in found.items() if name not in leave_out]


def _say_when_ready(url: str, manager: honcho.manager.Manager) -> None:
    began = time.monotonic()
    while time.monotonic() - began < READY_SECONDS:
        if manager.returncode is not None:
            return
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=3) as answer:
                if answer.status == 200:
                    seconds = time.monotonic() - began
                    print(f"\n  Porchlight is ready after {seconds:.0f} s: {url}\n  Stop it with Ctrl-C.\n", flush=True)
                    return
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.3)
    print(f"\n  Not ready after {READY_SECONDS:.0f} s; {url}/readyz says what is missing.\n", flush=True)


def run() -> int:
    """Train if needed, start everything, say when it is ready, stop everything on Ctrl-C.

    Returns:
        The exit code: 0 after Ctrl-C, else that of the process that ended first.
    """
    settings = get_settings()
    busy = list(taken_ports(settings))
    if busy:
        print("Cannot start:\n  " + "\n  ".join(busy), file=sys.stderr)
        return 1
    if not training.is_trained():
        training.train()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', '')}"
    for name, value in secrets_of(settings.run_dir).items():
        environment.setdefault(name, value)
    honcho.manager.KILL_WAIT = STOP_SECONDS
    manager = honcho.manager.Manager(honcho.printer.Printer(sys.stdout))
    for name, command in processes(settings):
        manager.add_process(name, command, env=environment, cwd=str(ROOT))
    url = f"http://localhost:{settings.port}"
    threading.Thread(target=_say_when_ready, args=(url, manager), daemon=True).start()
    manager.loop()
    # Ctrl-C ends the processes by a signal, which honcho counts as an error.
    return 0 if (manager.returncode or 0) in (0, 130, -2, -15) else int(manager.returncode)
