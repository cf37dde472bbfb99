"""Draws the confusion picture from docs/bench/understanding.json: ``.venv/bin/python -m bench.picture``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from bench.report import DOCS

ASKED = (("asked_right", "asked, right among"), ("asked_wrong", "asked, right not among"))


def draw(confusions: dict[str, Any], intents: list[str], target: Path) -> None:
    """One row an intent that customers meant, one column a thing that was done; shares of the row.

    Args:
        confusions: ``matrix`` of bench/understanding.py.
        intents: in the order in which they are shown.
        target: a PNG.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    columns = [*intents, *(key for key, _ in ASKED)]
    shares = np.zeros((len(intents), len(columns)))
    for row, intent in enumerate(intents):
        counts = confusions["matrix"].get(intent, {})
        total = sum(counts.values()) or 1
        for column, number in counts.items():
            shares[row, columns.index(column)] = number / total
    figure, axes = pyplot.subplots(figsize=(13, 11.5), layout="constrained")
    image = axes.imshow(np.sqrt(shares), cmap="Blues", vmin=0, vmax=1)
    names = [name.replace("_", " ") for name in intents]
    axes.set_xticks(range(len(columns)), [*names, *(label for _, label in ASKED)], rotation=90, fontsize=8)
    axes.set_yticks(range(len(intents)), names, fontsize=8)
    axes.axvline(len(intents) - 0.5, color="grey", linewidth=1)
    for row, column in zip(*np.nonzero(shares), strict=True):
        share = shares[row, column]
        axes.text(
            column,
            row,
            f"{100 * share:.0f}",
            ha="center",
            va="center",
            fontsize=6,
            color="white" if share > 0.35 else "black",
        )
    axes.set_xlabel("what was done: acted on, refused (out of scope), or asked")
    axes.set_ylabel("what the customer meant")
    axes.set_title("tests/nlu/hard.yml, per cent of each row")
    bar = figure.colorbar(image, ax=axes, shrink=0.5, ticks=[0, 0.5**0.5, 1])
    bar.ax.set_yticklabels(["0", "0.5", "1"])
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=110)
    pyplot.close(figure)


def main() -> None:
    """Read, draw."""
    kept = DOCS / "understanding.json"
    if not kept.is_file():
        sys.exit(
            "docs/bench/understanding.json is missing; "
            "`bot/core/.venv/bin/python -m bench.understanding --write` makes it"
        )
    found = json.loads(kept.read_text(encoding="utf-8"))["result"]
    # The order of the test set, in which alike intents stand together.
    draw(found["confusions"], list(found["confusions"]["order"]), DOCS / "understanding.png")
    print(DOCS / "understanding.png")


if __name__ == "__main__":
    main()
