"""Rules and second opinion weighed against each other; ``python -m bot.safety.weigh`` chooses the weights.

The rules say that the words of a danger stand together as they do in an emergency, the second opinion how like an
emergency the whole message is. Direct evidence stands; weaker evidence needs a little of the model's consent; a message
that no rule knows is an emergency if the model is nearly sure. The limits are chosen on tests/safety/tune.yml, never on
the held-out set.
"""

from __future__ import annotations

import itertools
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml


@dataclass(frozen=True, slots=True)
class Limits:
    """When to believe whom, as the model's probability that a message is an emergency.

    Attributes:
        direct: a rule this sure ("I smell gas") stands whatever the model thinks of the rest.
        needs: from here on a weaker rule's finding stands.
        alone: from here on the model is believed without a rule.
    """

    direct: float = 0.98
    needs: float = 0.05
    alone: float = 0.8

    def fires(self, sure: float, danger: float) -> bool:
        """Whether to raise the alarm.

        Args:
            sure: the confidence of the rule that fired, 0 without one.
            danger: the model's probability that this is an emergency.
        """
        return sure >= self.direct or danger >= (self.needs if sure > 0 else self.alone)


LIMITS = Limits()
MOST_FALSE = 0.02
"""False alarms that the choice allows on the tuning set; the bar on the held-out set is 0.02."""


def choose(emergencies: list[tuple[float, float]], harmless: list[tuple[float, float]]) -> tuple[Limits, float, float]:
    """The limits that miss least with few false alarms.

    Args:
        emergencies: of each, the rule's confidence (0 without one) and the model's probability.
        harmless: the same.

    Returns:
        The limits, their recall and their share of false alarms.
    """
    best: tuple[float, Limits, float, float] | None = None
    needed = (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
    for values in itertools.product((0.95, 0.97, 0.98, 1.1), needed, (0.6, 0.7, 0.8, 0.9, 0.95)):
        limits = Limits(*values)
        recall = float(np.mean([limits.fires(*pair) for pair in emergencies]))
        false = float(np.mean([limits.fires(*pair) for pair in harmless]))
        score = recall - 2 * max(0.0, false - MOST_FALSE) - 0.2 * false
        if best is None or score > best[0]:
            best = (score, limits, recall, false)
    if best is None:
        raise ValueError("no limits to choose from")
    return best[1:]


def main() -> None:
    """Choose on the tuning set and print what to write into `Limits`."""
    from bot.safety.guard import Guard
    from bot.safety.second import SecondOpinion

    path = Path(sys.argv[1] if len(sys.argv) > 1 else "tests/safety/tune.yml")
    sets = yaml.safe_load(path.read_text(encoding="utf-8"))
    guard, second = Guard(), SecondOpinion()

    def views(text: str) -> tuple[float, float]:
        found = guard.by_rules(text)
        opinion = second.of_sentences(text) if found else second.probabilities(text)
        return (found.confidence if found else 0.0, 1.0 - float(opinion[0]))

    emergencies = [views(item["text"]) for item in sets["emergencies"]]
    harmless = [views(item["text"]) for item in sets["near_misses"]]
    heard, false = np.mean([pair[0] > 0 for pair in emergencies]), np.mean([pair[0] > 0 for pair in harmless])
    print(f"rules alone: recall {heard:.3f}, false alarms {false:.3f}")
    limits, recall, rest = choose(emergencies, harmless)
    print(f"{limits}: recall {recall:.3f}, false alarms {rest:.3f}")


if __name__ == "__main__":
    main()
