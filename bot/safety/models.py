"""What the guard finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["gas_leak", "downed_wire", "carbon_monoxide", "fire_shock", "medical_equipment"]
Language = Literal["en", "es"]

#: Which kind is answered when a message holds several; the danger that spreads fastest goes first.
PRIORITY: tuple[Kind, ...] = ("gas_leak", "fire_shock", "downed_wire", "carbon_monoxide", "medical_equipment")


@dataclass(frozen=True, slots=True)
class Emergency:
    """A message that stops everything else.

    Attributes:
        kind: the emergency; it names an intent of the safety journey.
        confidence: 0 to 1, a constant of the rule that fired. It says how direct the evidence is
            ("I smell gas" is 0.98, "everyone has a headache and the furnace runs" 0.85); it is not a probability.
        language: the language to answer in.
        reason: the name of the rule. A constant: it never holds a customer's words, so it may be logged.
    """

    kind: Kind
    confidence: float
    language: Language
    reason: str
