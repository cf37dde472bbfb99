"""The Pythons that the benchmarks run in, each built on first use; and a cache for what takes long.

- this one (the project's root environment),
- the dialogue core's (bot/core, Python 3.10),
- stock Rasa's with TensorFlow (bench/stock, Python 3.10): only to measure against,
- PyTorch's, for fine-tuning an encoder (models/encoder/recipe).

Runs on Python 3.10 and later with nothing installed.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "bench"
CORE = ROOT / "bot" / "core" / ".venv" / "bin" / "python"
STOCK = ROOT / "bench" / "stock" / ".venv" / "bin" / "python"
RECIPE = ROOT / "models" / "encoder" / "recipe" / "train.py"
TRAINER = ROOT / ".cache" / "encoder" / "bin" / "python"


class EnvironmentMissing(Exception):
    """An environment could not be built; the message says what to do."""


def core_python() -> Path:
    """The dialogue core's Python; `make` builds it."""
    if not CORE.is_file():
        raise EnvironmentMissing("bot/core/.venv is missing; `make setup` builds it")
    return CORE


def stock_python() -> Path:
    """Stock Rasa's Python, 2.5 GB, built from bench/stock/uv.lock when it is not there."""
    if not STOCK.is_file():
        _sync(STOCK.parent.parent.parent)
    return STOCK


def trainer_python() -> Path:
    """A Python with PyTorch: ``ENCODER_PYTHON``, or the environment of `make encoder`, built when it is not there."""
    given = os.environ.get("ENCODER_PYTHON")
    if given:
        return Path(given)
    if not TRAINER.is_file():
        done = subprocess.run(["make", "-C", str(ROOT), ".cache/stamps/encoder"], check=False)
        if done.returncode or not TRAINER.is_file():
            raise EnvironmentMissing("PyTorch's environment could not be built: `make .cache/stamps/encoder` failed")
    return TRAINER


def _sync(folder: Path) -> None:
    """``uv sync --frozen`` in a folder with its own lock file."""
    ours = ROOT / ".cache" / "uv" / "bin" / "uv"
    uv = os.environ.get("UV") or (str(ours) if ours.is_file() else shutil.which("uv"))
    if not uv:
        raise EnvironmentMissing(
            f"uv is needed to build {folder.relative_to(ROOT)}: put it on PATH, or its path into UV"
        )
    done = subprocess.run([uv, "sync", "--directory", str(folder), "--frozen", "--compile-bytecode"], check=False)
    if done.returncode:
        raise EnvironmentMissing(f"`uv sync --directory {folder.relative_to(ROOT)} --frozen` failed")


def quiet_environment(**more: str) -> dict[str, str]:
    """The environment for a measured process: one thread a library, and the project importable."""
    threads = {name: "1" for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    return {**os.environ, **threads, "PYTHONPATH": str(ROOT), **more}


def digest(*parts: object) -> str:
    """A short name for what a result depends on; a Path stands for its content, of a program without the layout."""
    total = hashlib.sha256()
    for part in parts:
        total.update(hashlib.sha256(_body(part)).digest())
    return total.hexdigest()[:16]


def _body(part: object) -> bytes:
    if not isinstance(part, Path):
        return json.dumps(part, sort_keys=True).encode()
    if part.suffix == ".py":
        return ast.dump(ast.parse(part.read_text(encoding="utf-8"))).encode()
    return part.read_bytes()


def is_done(program: Path, job: dict[str, Any], kind: str, *depends: object) -> bool:
    """Whether `run_job` would answer at once."""
    return (CACHE / kind / f"{digest(program, job, *depends)}.json").is_file()


def run_job(python: Path, program: Path, job: dict[str, Any], kind: str, *depends: object) -> dict[str, Any]:
    """Run ``program JOB.json OUT.json`` in another Python, once for each job: what it gave is kept in .cache/bench.

    Args:
        python: the other Python.
        program: the program.
        job: what it is to do; JSON.
        kind: a folder name for its results.
        depends: what else the result depends on.
    """
    name = digest(program, job, *depends)
    out = CACHE / kind / f"{name}.json"
    if not out.is_file():
        out.parent.mkdir(parents=True, exist_ok=True)
        ask, part = out.with_suffix(".job"), out.with_suffix(".part")
        ask.write_text(json.dumps(job), encoding="utf-8")
        command = [str(python), str(program), str(ask), str(part)]
        try:
            # Their words are not part of our tables, and a test set's messages must not be read by anybody.
            subprocess.run(
                command, check=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL
            )
            part.replace(out)
        finally:
            ask.unlink(missing_ok=True)
    found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return found
