"""Chooses the temperature and the thresholds of config.yml: ``python -m bot.core.tune [tests/nlu/dev.yml]``.

It trains on data/, reads the development set, and prints the lines for config.yml. The test set is never read here.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from typing import Optional, Sequence

import numpy as np
import yaml

from bot.core.encoder import load_encoder
from bot.core.understanding import OUT_OF_SCOPE, Thresholds, Understanding, decide, outcome, softmax

ASKED = 0.6
"""What being right after a question is worth, beside 1 for right at once: a question costs the customer a turn."""


def examples(folder: Path) -> list[tuple[str, str]]:
    """All ``(text, intent)`` of the designers' NLU files."""
    found = []
    for path in sorted(folder.glob("*/nlu.yml")):
        for block in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("nlu") or []:
            for line in str(block["examples"]).splitlines():
                text = line.strip()[2:].strip() if line.strip().startswith("- ") else ""
                if text:
                    found.append((text, block["intent"]))
    return found


def messages(path: Path) -> list[tuple[str, str]]:
    """All ``(text, intent)`` of a test or development set."""
    sets = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [(text, intent) for intent, texts in sets.items() for text in texts]


def temperature(scores: np.ndarray, truth: Sequence[str], names: Sequence[str]) -> float:
    """The divisor that makes probabilities honest (Guo et al. 2017, arXiv:1706.04599)."""
    index = np.array([names.index(label) for label in truth])
    grid = np.geomspace(0.02, 2.0, 80)
    losses = [-np.log(softmax(scores / t)[np.arange(len(index)), index] + 1e-12).mean() for t in grid]
    return float(grid[int(np.argmin(losses))])


def choose(
    rows: np.ndarray, truth: Sequence[str], names: Sequence[str], wrong: float = 0.015, refused: float = 0.025
) -> Thresholds:
    """The thresholds that act rightly most often, with few wrong actions and few refusals of what we do.

    Args:
        rows: probabilities.
        truth: intents.
        names: the columns.
        wrong: at most this share of messages acted on wrongly; a wrong action costs a customer more than a question.
        refused: at most this share of in-scope messages refused.
    """
    best: Optional[tuple[float, Thresholds]] = None
    inside = sum(1 for label in truth if label != OUT_OF_SCOPE)
    grid = itertools.product(
        (0.1, 0.15, 0.2, 0.3), (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9), (0.0, 0.1, 0.2), (0.3, 0.4, 0.5)
    )
    for scope, act, lead, ask in grid:
        limits = Thresholds(act, lead, ask, scope)
        count: dict[str, int] = {}
        for row, label in zip(rows, truth, strict=True):
            result = outcome(decide(row, list(names), limits), label)
            count[result] = count.get(result, 0) + 1
        bad = count.get("wrong", 0) / len(truth)
        lost = count.get("refused", 0) / max(1, inside)
        score = (
            (count.get("right", 0) + ASKED * count.get("asked_right", 0) + count.get("refused_right", 0)) / len(truth)
            - 5 * max(0.0, bad - wrong)
            - 5 * max(0.0, lost - refused)
        )
        if best is None or score > best[0]:
            best = (score, limits)
    if best is None:
        raise ValueError("no thresholds to choose from")
    return best[1]


def main() -> None:
    """Train, choose, print."""
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "tests/nlu/dev.yml")
    texts, intents = zip(*examples(Path("data")), strict=True)
    model = Understanding(load_encoder("models/encoder")).fit(texts, intents, report=lambda line: print(" ", line))
    dev, truth = zip(*messages(path), strict=True)
    scores = model.scores(dev)
    t = temperature(scores, truth, model.labels)
    rows = softmax(scores / t)
    limits = choose(rows, truth, model.labels)
    count: dict[str, int] = {}
    for row, label in zip(rows, truth, strict=True):
        result = outcome(decide(row, model.labels, limits), label)
        count[result] = count.get(result, 0) + 1
    print(f"    temperature: {t:.3f}")
    for name in ("act", "lead", "ask", "scope"):
        print(f"    {name}: {getattr(limits, name)}")
    print({name: round(number / len(truth), 3) for name, number in sorted(count.items())})


if __name__ == "__main__":
    main()
