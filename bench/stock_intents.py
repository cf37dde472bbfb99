"""What Rasa's stock pipeline makes of a set: predictions for its validation and test messages, trained once and kept."""

from __future__ import annotations

import sys
from typing import Any

from bench.environments import ROOT, run_job, stock_python
from bench.sets import SETS, LabelledSet

EPOCHS = 100


def predictions(which: LabelledSet, epochs: int = EPOCHS) -> dict[str, Any]:
    """The answer of bench/stock/diet.py: ``epochs``, ``train_seconds``, and ``sets`` ``valid`` and ``test``."""
    job = {
        "train": which.train,
        "epochs": epochs,
        "sets": {name: [text for text, _ in pairs] for name, pairs in (("valid", which.valid), ("test", which.test)) if pairs},
    }
    return run_job(stock_python(), ROOT / "bench" / "stock" / "diet.py", job, "stock", nice=10)


if __name__ == "__main__":
    chosen = sys.argv[1] if len(sys.argv) > 1 else "own"
    result = predictions(SETS[chosen](), int(sys.argv[2]) if len(sys.argv) > 2 else EPOCHS)
    print(chosen, result["epochs"], "epochs", round(result["train_seconds"]), "s")
