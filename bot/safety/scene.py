"""A message as the rules see it: which concepts stand where.

Three things take a word out of account, and each takes only itself: a harmless phrase ("gas station"), a denial
("no smoke"), and, for the rules, what stands near a match (see `bot.safety.matching`). So whatever else a message
says, an emergency in it is still seen.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.safety import grammar
from bot.safety.lexicon import Lexicon
from bot.safety.spelling import Speller
from bot.safety.tokens import tokenise

#: Where a concept stands: first token, and the one after the last.
Span = tuple[int, int]

#: What a denial can take away. Not gas or wires: "no power, the wire is down".
_DENIABLE = tuple(
    """
    SMELL SMOKE SPARK HISS LEAK LEAK_STRICT FIRE ON_FIRE BURN SHOCK ELECTROCUTED CONTACT CRACKLE BUZZ FLASH HOT
    SOUNDING SYMPTOM SYMPTOM_STRONG ODD FALL CRASH HIT LIVE_WIRE EGG ROTTEN_EGG BANG GAS_FULL DISTRESS FALL_PAST
    FALL_DOWN HANGS
    """.split()
)


@dataclass(slots=True)
class Scene:
    """Concepts by place, for one message."""

    words: tuple[str, ...]
    breaks: frozenset[int]
    spans: dict[str, list[Span]]
    mask: int
    merged: dict[tuple[str, ...], list[Span]] = field(default_factory=dict)

    def at(self, concepts: tuple[str, ...]) -> list[Span]:
        """Where any of the concepts stands, in order."""
        if len(concepts) == 1:
            return self.spans.get(concepts[0], [])
        found = self.merged.get(concepts)
        if found is None:
            found = sorted({span for concept in concepts for span in self.spans.get(concept, ())})
            self.merged[concepts] = found
        return found

    def clause(self, start: int, end: int) -> Span:
        """The clause or clauses that tokens from start to end stand in: between full stops and words like "but"."""
        low = max((at for at in self.breaks if at <= start), default=0)
        high = min((at for at in self.breaks if at >= end), default=len(self.words))
        return low, high

    def near(self, concepts: tuple[str, ...], low: int, high: int) -> bool:
        """Whether any of the concepts stands within tokens low to high."""
        spans = self.at(concepts)
        index = bisect_left(spans, (low, 0))
        return index < len(spans) and spans[index][1] <= high


def _turns(words: list[str]) -> Iterator[int]:
    for index, word in enumerate(words):
        if word in grammar.TURNS or (
            word in grammar.AND and index + 1 < len(words) and words[index + 1] in grammar.NEW_SUBJECT
        ):
            yield index


class Reader:
    """Makes scenes. One is enough for a process; it keeps no message."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.bits = {name: 1 << index for index, name in enumerate(sorted(lexicon.concepts))}
        self._speller = Speller(lexicon)
        self._single = lexicon.single
        self._phrases = lexicon.phrases
        self._vocabulary = lexicon.vocabulary
        self._harmless = lexicon.harmless
        self._sounds: dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]] = {}
        for said, meant in lexicon.sounds.items():
            self._sounds.setdefault(said[0], []).append((said, meant))

    def read(self, text: str) -> Scene:
        """Find every concept in a text."""
        tokens = tokenise(text)
        words: list[str] = []
        forms: list[frozenset[str]] = []
        breaks: set[int] = set()
        pauses: set[int] = set()
        for index, token in enumerate(tokens.words):
            if index in tokens.breaks:
                breaks.add(len(words))
            if index in tokens.pauses:
                pauses.add(len(words))
            for part in self._speller.read(token):
                words.append(token)
                forms.append(part)
        self._hear(words, forms)
        breaks.update(_turns(words))
        spans = self._find(forms)
        self._excuse(spans, breaks | pauses)
        self._deny(words, breaks, pauses, spans)
        mask = 0
        for name in spans:
            mask |= self.bits[name]
        return Scene(tuple(words), frozenset(breaks), spans, mask)

    def _hear(self, words: list[str], forms: list[frozenset[str]]) -> None:
        """Add what neighbouring words may have been before they were misheard or broken up."""
        for index, word in enumerate(words):
            for said, meant in self._sounds.get(word, ()):
                size = len(said)
                if index + size <= len(words) and tuple(words[index : index + size]) == said:
                    for offset in range(max(size, len(meant))):
                        if index + offset < len(words) and offset < size:
                            forms[index + offset] |= {meant[min(offset, len(meant) - 1)]}
            if len(word) == 1 and index + 2 < len(words) and len(words[index + 1]) == len(words[index + 2]) == 1:
                whole = word + words[index + 1] + words[index + 2]
                if whole in self._vocabulary:
                    for offset in range(3):
                        forms[index + offset] |= {whole}
            if index + 1 < len(words) and words[index] is not words[index + 1]:
                whole = word + words[index + 1]
                if len(whole) >= 6 and whole in self._vocabulary:
                    forms[index] |= {whole}
                    forms[index + 1] |= {whole}

    def _find(self, forms: list[frozenset[str]]) -> dict[str, list[Span]]:
        found: dict[str, set[Span]] = {}
        size = len(forms)
        for index, here in enumerate(forms):
            for word in here:
                for concept in self._single.get(word, ()):
                    found.setdefault(concept, set()).add((index, index + 1))
                seconds = self._phrases.get(word)
                if seconds is None or index + 1 == size:
                    continue
                for second in forms[index + 1]:
                    for rest, concept in seconds.get(second, ()):
                        end = index + 2 + len(rest)
                        if end <= size and all(part in forms[index + 2 + at] for at, part in enumerate(rest)):
                            found.setdefault(concept, set()).add((index, end))
        return {concept: sorted(places) for concept, places in found.items()}

    def _excuse(self, spans: dict[str, list[Span]], stops: set[int]) -> None:
        """Take harmless phrases out, unless a longer phrase of a concept holds them ("silla de ruedas")."""
        for name in self._harmless & spans.keys():  # "a fallen wire. You fixed ..." sends no money by wire
            spans[name] = [span for span in spans[name] if stops.isdisjoint(range(span[0] + 1, span[1]))]
            if not spans[name]:
                del spans[name]
        harmless = sorted({span for name in self._harmless for span in spans.get(name, ())})
        if not harmless:
            return
        # "I smell gas and electric things are dead": what is smelled is not the gas that is paid for.
        keep = {end for start, end in (*spans.get("SMELL", ()), *spans.get("LEAK_STRICT", ()))}
        money = set(spans.get("GAS_MONEY", ())) | set(spans.get("GAS_MOTOR", ()))
        harmless = [span for span in harmless if not (span in money and {span[0], span[0] - 1} & keep)]
        for name in list(spans):
            if name in self._harmless:
                continue
            kept = [
                span
                for span in spans[name]
                if not any(
                    low < span[1]
                    and span[0] < high
                    and not (span[0] <= low and span[1] >= high and span != (low, high))
                    for low, high in harmless
                )
            ]
            if kept:
                spans[name] = kept
            else:
                del spans[name]

    def _deny(self, words: list[str], breaks: set[int], pauses: set[int], spans: dict[str, list[Span]]) -> None:
        """Take out what the customer says is not there."""
        if grammar.DENIALS.isdisjoint(words):
            return
        starts: dict[int, list[tuple[str, Span]]] = {}
        for name in _DENIABLE:
            for span in spans.get(name, ()):
                starts.setdefault(span[0], []).append((name, span))
        gone: set[tuple[str, Span]] = set()
        for index, word in enumerate(words):
            if index + 1 in pauses:
                continue  # "no, gas!" answers a question
            if word not in grammar.DENIALS or (index + 1 < len(words) and words[index + 1] in grammar.NOT_DENIALS):
                continue
            if (
                word == "no"
                and index + 1 < len(words)
                and words[index + 1] in grammar.NO_WIRES
                and index + 1 not in breaks
            ):
                gone.update(
                    (name, span) for name in ("WIRE", "LINE") for span in spans.get(name, ()) if span[0] == index + 1
                )
            smell_at = -1
            for reach in range(index + 1, min(index + 7, len(words))):
                if reach in breaks:
                    break
                denied = starts.get(reach)
                if denied:
                    gone.update(denied)
                    if any(name == "SMELL" for name, _ in denied):
                        smell_at = reach
                elif words[reach] not in grammar.BETWEEN:
                    break
            if smell_at >= 0:  # what is not smelled is not there: "no gas smell", "don't smell any gas"
                end = min((at for at in breaks if at > smell_at), default=len(words))
                gone.update(
                    ("GAS", span) for span in spans.get("GAS", ()) if index < span[0] <= smell_at + 3 and span[1] <= end
                )
        if gone:
            for name in {name for name, _ in gone}:
                kept = [span for span in spans[name] if (name, span) not in gone]
                if kept:
                    spans[name] = kept
                else:
                    del spans[name]
