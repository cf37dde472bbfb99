"""Training the assistant, when something that it is made of has changed: ``python -m bot.processes.training``."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

from bot.processes.rasa import MODEL, python
from integrations.base.settings import ROOT

STAMP = MODEL.parent / "inputs.sha256"
LOG = ROOT / ".run" / "train.log"


def _digest(paths: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(str(path.relative_to(ROOT)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def inputs() -> str:
    """A fingerprint of everything that a trained assistant depends on: designers' files, then code and encoder."""
    data = [path for path in (ROOT / "data").glob("*/*.yml") if path.name in ("nlu.yml", "rules.yml", "domain.yml")]
    code = [ROOT / "config.yml", ROOT / "bot" / "core" / "uv.lock", *(ROOT / "bot" / "core").glob("*.py")]
    code += [ROOT / "models" / "encoder" / name for name in ("model.onnx", "tokenizer.json")]
    return f"{_digest(data)} {_digest([path for path in code if path.exists()])}"


def is_trained() -> bool:
    """Whether the assistant at hand was made of what is here now."""
    return MODEL.exists() and STAMP.exists() and STAMP.read_text() == inputs()


def train() -> None:
    """Train; progress on the terminal, Rasa's own words in `.run/train.log`.

    Raises:
        SystemExit: training failed; the end of the log has been printed.
    """
    began, now = time.monotonic(), inputs()
    old = STAMP.read_text().split() if STAMP.exists() else ["", ""]
    LOG.parent.mkdir(parents=True, exist_ok=True)
    MODEL.parent.mkdir(parents=True, exist_ok=True)
    command = [
        str(python()), "-m", "bot.core.launcher", "train", "--data", "data", "--domain", "data",
        "--config", "config.yml", "--endpoints", "endpoints.yml", "--out", str(MODEL.parent),
        "--fixed-model-name", MODEL.name.split(".")[0],
    ]  # fmt: skip
    if len(old) != 2 or old[1] != now.split()[1]:
        command.append("--force")  # Rasa's cache does not see changes of the code behind a component
    print("Training the assistant (about a minute)", flush=True)
    names = {
        "ACTIONS_URL": "http://127.0.0.1:1/webhook",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "RASA_TOKEN": "training",
    }
    environment = {**os.environ, **names, "PYTHONPATH": str(ROOT)}
    with LOG.open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        for line in process.stdout or ():
            log.write(line)
            if line.startswith("  understanding:"):
                print(
                    f"  [{time.monotonic() - began:3.0f} s]{line.removeprefix('  understanding:').rstrip()}", flush=True
                )
    if process.wait() or not MODEL.exists():
        tail = LOG.read_text(encoding="utf-8").splitlines()[-25:]
        sys.exit("\n".join([*tail, f"Training failed; all of it is in {LOG.relative_to(ROOT)}"]))
    STAMP.write_text(now)
    print(f"Trained in {time.monotonic() - began:.0f} s", flush=True)


def main() -> None:
    """Train unless nothing has changed."""
    if "--force" in sys.argv or not is_trained():
        train()


if __name__ == "__main__":
    main()
