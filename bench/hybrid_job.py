"""Our classifier on one set: train, predict, leave the predictions as JSON. Runs in the dialogue core's Python.

``python bench/hybrid_job.py JOB.json OUT.json``, as bench/stock/diet.py; the job also names the ``encoder``'s folder.
The settings are the component's own; only the temperature is fitted to the validation messages, as `make tune` does.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

TOP = 10
"""Readings kept a message, as Rasa's own ranking has."""


def main() -> None:
    """Do one job."""
    from bot.core.encoder import Encoder
    from bot.core.tune import temperature
    from bot.core.understanding import Understanding, softmax

    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    model = Understanding(Encoder(Path(job["encoder"])))
    began = time.perf_counter()
    model.fit([text for text, _ in job["train"]], [intent for _, intent in job["train"]])
    trained = time.perf_counter() - began
    if job.get("valid"):
        scores = model.scores([text for text, _ in job["valid"]])
        model.temperature = temperature(scores, [intent for _, intent in job["valid"]], model.labels)
    sets: dict[str, Any] = {}
    for name, texts in job["sets"].items():
        rows = softmax(model.scores(texts) / model.temperature)
        spent = []
        for text in texts[:500]:
            began = time.perf_counter()
            model.decide(text)
            spent.append(time.perf_counter() - began)
        spent.sort()
        sets[name] = {
            "rows": [
                {"ranking": [[model.labels[at], round(float(row[at]), 5)] for at in np.argsort(-row)[:TOP]]}
                for row in rows
            ],
            "p50_ms": 1000 * spent[len(spent) // 2],
            "p95_ms": 1000 * spent[int(len(spent) * 0.95)],
        }
    Path(sys.argv[2]).write_text(json.dumps({"train_seconds": trained, "sets": sets}), encoding="utf-8")


if __name__ == "__main__":
    main()
