"""A message as the rules see it: which concepts stand where.

Three things take a word out of account, and each takes only itself: a harmless phrase ("gas station"), a denial
("no smoke"), and, for the rules, what stands near a match (see `bot.safety.matching`). So whatever else a message
says, an emergency in it is still seen.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.safety.lexicon import Lexicon
from bot.safety.spelling import Speller
from bot.safety.tokens import tokenise

#: Where a concept stands: first token, and the one after the last.
Span = tuple[int, int]

#: What a denial can take away. Not gas or wires: "no power, the wire is down".
_DENIABLE = (
    "SMELL", "SMOKE", "SPARK", "HISS", "LEAK", "LEAK_STRICT", "FIRE", "ON_FIRE", "BURN", "SHOCK", "ELECTROCUTED", "CONTACT", "CRACKLE",
    "BUZZ", "FLASH", "HOT", "SOUNDING", "SYMPTOM", "SYMPTOM_STRONG", "ODD", "FALL", "CRASH", "HIT", "LIVE_WIRE", "EGG", "ROTTEN_EGG", "BANG", "GAS_FULL", "DISTRESS", "FALL_PAST", "FALL_DOWN", "HANGS",
)  # fmt: skip
_DENIALS = frozenset(
    "no not dont doesnt didnt isnt arent wasnt werent never without nor nothing nothings nobody nobodys hasnt havent aint none sin ni tampoco nunca".split()
)
_BETWEEN = frozenset(
    "any a an the no of or nor ni and it is are was being been seem seems to be me us see seen hear heard feel notice noticed have there theres hay se y un una ningun ninguna actual visible real more has "
    "wires wire lines line actually involved anymore mas huele smells smell burning electrical gas odor funny odd weird on in showing hot coming"
    .split()
)
# After these a new statement begins; what was said before does not excuse it.
_TURNS = frozenset("but also however anyway plus pero tambien ademas nevermind actually besides".split())
_AND = frozenset("and y then".split())
_NEW_SUBJECT = frozenset(
    "i im ive we weve my our there theres the now also a an its it hay me mi huele el la un una this that someone somebody what is se estamos esta please".split()
)
# "not just near the lines", "not sure if there is smoke", "didn't you hear, there is smoke"
_NOT_DENIALS = frozenset("just only sure kidding joking know sure because lying exaggerating again solo se".split())


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
        if word in _TURNS or (word in _AND and index + 1 < len(words) and words[index + 1] in _NEW_SUBJECT):
            yield index


class Reader:
    """Makes scenes. One is enough for a process; it keeps no message."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.bits = {name: 1 << index for index, name in enumerate(sorted(lexicon.concepts))}
        self._speller = Speller(lexicon)
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
        for index, token in enumerate(tokens.words):
            if index in tokens.breaks:
                breaks.add(len(words))
            for part in self._speller.read(token):
                words.append(token)
                forms.append(part)
        self._hear(words, forms)
        breaks.update(_turns(words))
        spans = self._find(words, forms)
        self._excuse(spans)
        self._deny(words, breaks, spans)
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

    def _find(self, words: list[str], forms: list[frozenset[str]]) -> dict[str, list[Span]]:
        found: dict[str, set[Span]] = {}
        size = len(words)
        for index in range(size):
            for word in forms[index]:
                for phrase, concept in self._phrases.get(word, ()):
                    length = len(phrase)
                    if length == 1:
                        found.setdefault(concept, set()).add((index, index + 1))
                    elif index + length <= size and all(phrase[k] in forms[index + k] for k in range(1, length)):
                        found.setdefault(concept, set()).add((index, index + length))
        return {concept: sorted(places) for concept, places in found.items()}

    def _excuse(self, spans: dict[str, list[Span]]) -> None:
        """Take harmless phrases out, unless a longer phrase of a concept holds them ("silla de ruedas")."""
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
                    low < span[1] and span[0] < high and not (span[0] <= low and span[1] >= high and span != (low, high))
                    for low, high in harmless
                )
            ]
            if kept:
                spans[name] = kept
            else:
                del spans[name]

    def _deny(self, words: list[str], breaks: set[int], spans: dict[str, list[Span]]) -> None:
        """Take out what the customer says is not there."""
        for index, word in enumerate(words):
            if word not in _DENIALS or (index + 1 < len(words) and words[index + 1] in _NOT_DENIALS):
                continue
            reach = index + 1
            while reach < len(words) and reach not in breaks and reach - index <= 6:
                hit = False
                if reach == index + 1 and word == "no" and words[reach] in ("wires", "lines", "wire"):
                    for name in ("WIRE", "LINE"):
                        spans[name] = [span for span in spans.get(name, ()) if span[0] != reach]
                for name in _DENIABLE:
                    for span in spans.get(name, ()):
                        if span[0] == reach:
                            spans[name] = [other for other in spans[name] if other != span]
                            hit = True
                if not hit and words[reach] not in _BETWEEN:
                    break
                reach += 1
        for name in [name for name, places in spans.items() if not places]:
            del spans[name]
