"""How a rule fits a message: pieces of evidence that stand near each other, and nothing near them that excuses them."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from bot.safety.grammar import PRESENT, WHO_SMELL
from bot.safety.models import Kind
from bot.safety.scene import Scene, Span

#: A reach that also goes past full stops and "but".
ANYWHERE = 60


@dataclass(frozen=True, slots=True)
class Unless:
    """A context that makes a match harmless.

    Attributes:
        concepts: any of these, within `reach` tokens of the match and in the same clause
            (`ANYWHERE`: in any).
        reach: tokens to either side; 0 means within the match.
        but: the context does not count if any of these stands there too.
        along: the context counts only if any of these stands there too; empty for always.
    """

    concepts: tuple[str, ...]
    reach: int = 8
    but: tuple[str, ...] = ()
    along: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """Evidence for one kind of emergency.

    Attributes:
        name: constant, logged as the reason.
        kind: what it is evidence for.
        parts: one of each group must be there, on different words.
        within: tokens that the whole match may span, from its first word's start to its last word's start.
        ordered: whether the parts must follow each other.
        sure: the confidence.
        unless: contexts that excuse it.
        longest: only in sentences of at most so many words; 0 for any.
        closed: whether a closed past event ("the leak was three years ago") excuses it.
        defers: a context in which a downed-wire rule, if one fires too, says better what to do.
    """

    name: str
    kind: Kind
    parts: tuple[tuple[str, ...], ...]
    within: int
    ordered: bool
    sure: float
    unless: tuple[Unless, ...]
    longest: int
    closed: bool
    defers: Unless | None


def names(text: str) -> tuple[str, ...]:
    """Concept names from "SMELL | STINK"."""
    return tuple(part.strip() for part in text.split("|"))


def unless(concepts: str, reach: int = 8, but: str = "", along: str = "") -> Unless:
    """Write an `Unless` shortly."""
    return Unless(names(concepts), reach, names(but) if but else (), names(along) if along else ())


def rule(
    name: str,
    *parts: str,
    within: int = 8,
    ordered: bool = False,
    sure: float = 0.95,
    excuses: tuple[Unless, ...] = (),
    longest: int = 0,
    closed: bool = True,
    defers: Unless | None = None,
) -> Rule:
    """Write a `Rule` shortly; the name's first part is the kind."""
    kind = _KINDS[name.split(".")[0]]
    return Rule(
        name, kind, tuple(names(part) for part in parts), within, ordered, sure, excuses, longest, closed, defers
    )


_KINDS: dict[str, Kind] = {
    "gas": "gas_leak",
    "wire": "downed_wire",
    "monoxide": "carbon_monoxide",
    "fire": "fire_shock",
    "medical": "medical_equipment",
}


def find(rule_: Rule, scene: Scene) -> Span | None:
    """Where the rule fits and nothing excuses it; None if nowhere."""
    for anchor in scene.at(rule_.parts[0]):
        match = _complete(rule_, scene, anchor)
        if match and rule_.longest:
            low, high = scene.clause(*match)
            if high - low > rule_.longest:
                continue
        if match and not any(applies(item, scene, match) for item in rule_.unless):
            if rule_.closed and _closed(scene, match):
                continue
            return match
    return None


def _complete(rule_: Rule, scene: Scene, anchor: Span) -> Span | None:
    """The nearest of each further part to the anchor, if all fit within the span."""
    low, high = anchor
    last = anchor[0]
    taken = [anchor]
    for part in rule_.parts[1:]:
        best: Span | None = None
        spans = scene.at(part)
        index = (
            bisect_left(spans, (taken[-1][1], 0))
            if rule_.ordered
            else bisect_left(spans, (anchor[0] - rule_.within, 0))
        )
        for span in spans[index:]:
            if span[0] > anchor[0] + rule_.within:
                break
            if any(span[0] < other[1] and other[0] < span[1] for other in taken):
                continue
            if max(last, span[0]) - min(low, span[0]) > rule_.within:
                continue
            if best is None or abs(span[0] - anchor[0]) < abs(best[0] - anchor[0]):
                best = span
            if rule_.ordered:
                break
        if best is None:
            return None
        taken.append(best)
        low, high, last = min(low, best[0]), max(high, best[1]), max(last, best[0])
    return low, high


def applies(item: Unless, scene: Scene, match: Span) -> bool:
    """Whether a context stands around a match."""
    low, high = scene.clause(*match) if item.reach < ANYWHERE else (0, len(scene.words))
    low, high = max(low, match[0] - item.reach), min(high, match[1] + item.reach)
    if not scene.near(item.concepts, low, high):
        return False
    if item.along and not scene.near(item.along, low, high):
        return False
    return not (item.but and scene.near(item.but, low, high))


def _closed(scene: Scene, match: Span) -> bool:
    """Whether the match tells of something that is over: long ago, or already dealt with, and nothing of it present."""
    present = scene.spans
    if "RESOLVED" not in present and "LONG_AGO" not in present:
        return False
    low, high = scene.clause(*match)
    for index in range(max(low, match[0] - 2), match[1]):
        word = scene.words[index]
        if word in PRESENT or (word == "smell" and index and scene.words[index - 1] in WHO_SMELL):
            return False
    if scene.near(("AGAIN",), max(low, match[0] - 5), min(high, match[1] + 5)):
        return False
    if scene.near(("LONG_AGO",), max(low, match[0] - 4), min(high, match[1] + 4)):
        return True
    if scene.near(("LONG_AGO",), max(low, match[0] - 8), min(high, match[1] + 10)) and scene.near(
        ("WAS",), max(low, match[0] - 4), min(high, match[1] + 4)
    ):
        return True
    near = max(low, match[0] - 8), min(high, match[1] + 8)
    return scene.near(("RESOLVED",), *near) and not scene.near(("OPEN_AGAIN",), *near)
