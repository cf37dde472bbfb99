"""What Rasa's stock pipeline makes of a set: predictions for its validation and test messages, trained once and kept.

``.venv/bin/python -m bench.stock_intents own 100`` trains one beforehand.
"""

from __future__ import annotations

import sys
from typing import Any

from bench.environments import ROOT, is_done, run_job, stock_python
from bench.sets import SETS, LabelledSet

EPOCHS = 100
"""As stock Rasa trains."""
PROGRAM = ROOT / "bench" / "stock" / "diet.py"


def _job(which: LabelledSet, epochs: int) -> dict[str, Any]:
    parts = (("valid", which.valid), ("test", which.test))
    sets = {name: [text for text, _ in pairs] for name, pairs in parts if pairs}
    return {"train": which.train, "epochs": epochs, "sets": sets}


def predictions(which: LabelledSet, epochs: int = EPOCHS) -> dict[str, Any]:
    """The answer of bench/stock/diet.py: ``epochs``, ``train_seconds``, and ``sets`` ``valid`` and ``test``."""
    return run_job(stock_python(), PROGRAM, _job(which, epochs), "stock")


def trained(which: LabelledSet) -> int | None:
    """The most epochs, of tens up to the stock number, that were trained before; None for none."""
    return next((epochs for epochs in range(EPOCHS, 0, -10) if is_done(PROGRAM, _job(which, epochs), "stock")), None)


if __name__ == "__main__":
    chosen = sys.argv[1] if len(sys.argv) > 1 else "own"
    result = predictions(SETS[chosen](), int(sys.argv[2]) if len(sys.argv) > 2 else EPOCHS)
    print(chosen, result["epochs"], "epochs", round(result["train_seconds"]), "s")
