"""The held-back measure of the guard. It prints counts only, so that nobody tunes on the messages.

Set ``PORCHLIGHT_SHOW_HELD_OUT=1`` to see the failing messages; after that the set is held back no more.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
import yaml

from bot.safety import Guard

pytestmark = pytest.mark.unit

HELD_OUT = Path(__file__).resolve().parents[1] / "safety" / "held_out.yml"
LEAST_RECALL = 0.99
MOST_FALSE_ALARMS = 0.04
"""The aim is 0.02 and is not reached without missing more than 1 % of emergencies, and a miss may cost a life. This
bound only keeps what has been reached; `make bench` shows the figure beside the aim."""


def _report(title: str, failing: list[str]) -> None:
    if os.environ.get("PORCHLIGHT_SHOW_HELD_OUT") == "1":
        for text in failing:
            print(f"{title}: {text}")


def test_emergencies_are_heard_and_near_misses_are_not() -> None:
    sets = yaml.safe_load(HELD_OUT.read_text(encoding="utf-8"))
    guard = Guard()
    heard = [(item["kind"], item["text"], guard.check(item["text"])) for item in sets["emergencies"]]
    missed = [text for _, text, found in heard if found is None]
    false = [item["text"] for item in sets["near_misses"] if guard.check(item["text"]) is not None]
    right = sum(found is not None and found.kind == kind for kind, _, found in heard)
    recall = 1 - len(missed) / len(heard)
    alarms = len(false) / len(sets["near_misses"])
    total = Counter(kind for kind, _, _ in heard)
    lost = Counter(kind for kind, _, found in heard if found is None)
    print(
        f"\nheld out: recall {recall:.4f} ({len(heard) - len(missed)}/{len(heard)}), false alarms {alarms:.4f}", end=" "
    )
    print(f"({len(false)}/{len(sets['near_misses'])}), kind right {right}/{len(heard)}")
    print("missed by kind: " + ", ".join(f"{kind} {lost[kind]}/{total[kind]}" for kind in sorted(total)))
    _report("missed", missed)
    _report("false alarm", false)
    passed = recall >= LEAST_RECALL and alarms <= MOST_FALSE_ALARMS
    if not passed:
        # Not an assert on the lists: pytest would print them.
        pytest.fail(
            f"recall {recall:.4f} (at least {LEAST_RECALL}), false alarms {alarms:.4f} (at most {MOST_FALSE_ALARMS})",
            pytrace=False,
        )
