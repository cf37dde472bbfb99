"""Encoders to measure with: the general one as it comes, and one fine-tuned by our own recipe on a set's examples.

Both come from models/encoder/recipe/train.py, in PyTorch's environment, and are kept in .cache/bench/encoders. What a
public set teaches never leaves the cache.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from bench.environments import CACHE, RECIPE, ROOT, digest, trainer_python
from bench.sets import SETS, Pair

EPOCHS = 5
"""As the recipe does for our own encoder."""


def base() -> Path:
    """The general encoder, exported and quantised by the recipe, not trained."""
    return _built("base", [("size", "a"), *((f"{word} of this", "b") for word in "abcdefghijklmnopqrstuvwxyz" * 3)], 0)


def tuned(name: str, train: list[Pair], epochs: int = EPOCHS) -> Path:
    """The encoder fine-tuned on ``train``.

    Args:
        name: for people who look into the cache.
        train: examples; nothing else is shown to the recipe.
        epochs: times through them.
    """
    return _built(name, train, epochs)


def is_built(train: list[Pair], epochs: int = EPOCHS) -> bool:
    """Whether `tuned` would answer at once."""
    return any((CACHE / "encoders").glob(f"*-{digest(RECIPE, train, epochs)}/model.onnx"))


def _built(name: str, pairs: list[Pair], epochs: int) -> Path:
    folder = CACHE / "encoders" / f"{name}-{digest(RECIPE, pairs, epochs)}"
    if not (folder / "model.onnx").is_file():
        part = folder.with_suffix(".part")
        part.mkdir(parents=True, exist_ok=True)
        lines = part / "pairs.tsv"
        lines.write_text("".join(f"{' '.join(text.split())}\t{label}\n" for text, label in pairs), encoding="utf-8")
        print(f"encoder for {name}: {len(pairs)} examples, {epochs} epochs", file=sys.stderr, flush=True)
        command = [
            str(trainer_python()),
            str(RECIPE),
            "--pairs",
            str(lines),
            "--out",
            str(part),
            "--epochs",
            str(epochs),
        ]
        subprocess.run(command, check=True, cwd=ROOT, env=dict(os.environ), stdout=sys.stderr)
        lines.unlink()
        part.rename(folder)
    return folder


if __name__ == "__main__":
    which = sys.argv[1] if len(sys.argv) > 1 else "base"
    print(base() if which == "base" else tuned(which, SETS[which]().train))
