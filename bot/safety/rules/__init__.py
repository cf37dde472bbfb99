"""The rules, one module a kind. They combine concepts of the lexicon and hold no words."""

from bot.safety.matching import Rule
from bot.safety.rules import fire, gas, medical, monoxide, wires

RULES: tuple[Rule, ...] = (*gas.RULES, *fire.RULES, *wires.RULES, *monoxide.RULES, *medical.RULES)

__all__ = ["RULES"]
