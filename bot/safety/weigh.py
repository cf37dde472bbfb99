"""Rules, second opinion and meaning weighed against each other; ``python -m bot.safety.weigh`` chooses the weights.

The rules say that the words of a danger stand together as they do in an emergency, the second opinion how like an
emergency the words are, the third how like one the meaning is. Their evidence is added up as log odds, a rule's as a
bonus. The weights are chosen on tests/safety/tune.yml and tune_2.yml, never on the held-out set.
"""

from __future__ import annotations

import itertools
import math
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

MOST_ODDS = 6.0
"""Log odds beyond which an opinion counts no more."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much each view counts, in log odds.

    Attributes:
        trust: weight of the meaning beside the second opinion's 1.
        rule: what a rule that fired adds.
        direct: what it adds more when it is as sure as `DIRECT` ("I smell gas").
        alarm: from here on it is an emergency, if a rule fired.
        unruled: from here on it is one without a rule, ...
        words: ... if the second opinion's own odds are at least this: a short answer ("it's the barn") means little,
            and the meaning reads much into it.
            These two are set so that few of the designers' own examples of other wishes raise the alarm
            (tests/unit/test_safety_guard.py).
        alone: instead of `alarm` when the meaning cannot be had.
    """

    trust: float = 1.0
    rule: float = 2.5
    direct: float = 2.0
    alarm: float = 0.5
    unruled: float = 1.25
    words: float = 1.0
    alone: float = 1.0

    def decided(self, sure: float, opinion: np.ndarray) -> bool | None:
        """Whether to raise the alarm, if the meaning cannot change that; else None.

        Args:
            sure: the confidence of the rule that fired, 0 without one.
            opinion: the second opinion's probabilities of `second.KINDS`.
        """
        words = log_odds(1.0 - float(opinion[0]))
        least, most = self._fires(sure, words, -MOST_ODDS), self._fires(sure, words, MOST_ODDS)
        return least if least == most else None

    def fires(self, sure: float, opinion: np.ndarray, meaning: np.ndarray | None) -> bool:
        """Whether to raise the alarm.

        Args:
            sure: as above.
            opinion: as above.
            meaning: the third opinion's probabilities; None when there is none.
        """
        words = log_odds(1.0 - float(opinion[0]))
        if meaning is None:
            return words + self._bonus(sure) >= self.alone
        return self._fires(sure, words, log_odds(1.0 - float(meaning[0])))

    def _fires(self, sure: float, words: float, meant: float) -> bool:
        total = (words + self.trust * meant) / (1.0 + self.trust) + self._bonus(sure)
        return total >= self.alarm if sure > 0 else words >= self.words and total >= self.unruled

    def _bonus(self, sure: float) -> float:
        return (self.rule if sure > 0 else 0.0) + (self.direct if sure >= DIRECT else 0.0)


DIRECT = 0.97
"""The confidence of a rule whose words hardly stand together otherwise."""


def log_odds(share: float) -> float:
    """Natural log odds, at most MOST_ODDS either way."""
    if share <= 0.0 or share >= 1.0:
        return MOST_ODDS if share >= 1.0 else -MOST_ODDS
    return max(-MOST_ODDS, min(MOST_ODDS, math.log(share / (1.0 - share))))


LIMITS = Limits()
MOST_FALSE = 0.0125
"""False alarms that the choice allows on the tuning sets; the bar on the held-out set is 0.02."""

View = tuple[float, np.ndarray, np.ndarray | None]
"""A rule's confidence, the second opinion, the third."""


def choose(emergencies: list[View], harmless: list[View]) -> tuple[Limits, float, float]:
    """The weights that miss least with few false alarms; of equals the middle, which has most room on all sides.

    Args:
        emergencies: the views of each.
        harmless: likewise.

    Returns:
        The weights, their recall and their share of false alarms.
    """
    found: list[tuple[float, Limits, float, float]] = []
    alarms = tuple(np.arange(-1.0, 3.01, 0.25))
    for trust, rule, direct, alarm in itertools.product(
        (0.5, 1.0, 1.5, 2.0, 3.0), (1.5, 2.0, 2.5, 3.0), (2.0, 3.0), alarms
    ):
        limits = Limits(trust, rule, direct, float(alarm))
        recall = float(np.mean([limits.fires(*view) for view in emergencies]))
        false = float(np.mean([limits.fires(*view) for view in harmless]))
        found.append((recall - 2 * max(0.0, false - MOST_FALSE) - 0.2 * false, limits, recall, false))
    if not found:
        raise ValueError("no limits to choose from")
    top = max(score for score, *_ in found)
    best = [item for item in found if item[0] >= top - 1e-9]
    return best[len(best) // 2][1:]


def main() -> None:
    """Choose on the tuning sets and print what to write into `Limits`."""
    from bot.safety.guard import Guard
    from bot.safety.meaning import meaning
    from bot.safety.second import second_opinion, words_of

    emergencies: list[View] = []
    harmless: list[View] = []
    guard, second, third = Guard(), second_opinion(), meaning()

    def views(text: str) -> View:
        found = guard.by_rules(text)
        opinion, loudest = second.of_sentences(text) if found else second.probabilities(text)
        return (
            found.confidence if found else 0.0,
            opinion,
            third.probabilities(words_of(text), loudest) if third else None,
        )

    for path in sys.argv[1:] or ("tests/safety/tune.yml", "tests/safety/tune_2.yml"):
        sets = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        emergencies += [views(item["text"]) for item in sets["emergencies"]]
        harmless += [views(item["text"]) for item in sets["near_misses"]]
    heard, false = np.mean([view[0] > 0 for view in emergencies]), np.mean([view[0] > 0 for view in harmless])
    print(f"rules alone: recall {heard:.3f}, false alarms {false:.3f}")
    for label, limits in (("now", LIMITS), ("without the meaning", LIMITS)):
        drop = label != "now"
        heard = np.mean([limits.fires(a, b, None if drop else c) for a, b, c in emergencies])
        false = np.mean([limits.fires(a, b, None if drop else c) for a, b, c in harmless])
        print(f"{label}: recall {heard:.4f}, false alarms {false:.4f}")
    asked = np.mean([LIMITS.decided(a, b) is None for a, b, _ in emergencies + harmless])
    print(f"the meaning is asked for {asked:.2f} of them")
    limits, recall, rest = choose(emergencies, harmless)
    print(f"{limits}: recall {recall:.4f}, false alarms {rest:.4f}")


if __name__ == "__main__":
    main()
