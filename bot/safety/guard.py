"""The emergency guard: reads every turn before anything else does.

Rules over words and their order, a small linear model as a second opinion (`second.py`), the meaning of the sentence as
a third (`meaning.py`), weighed against each other (`weigh.py`); no language model, no network, no back-end, the same
answer every time. It prefers a false alarm to a miss: an alarm costs the
customer one sentence, a miss may cost a life. Sources of what counts as an emergency:
`research/utility-domain.md` 3.8 and 3.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import cast

import numpy as np

from bot.safety.grammar import ENGLISH, SPANISH
from bot.safety.lexicon import LEXICON_FILE, LexiconError, load_lexicon
from bot.safety.matching import Rule, applies, find
from bot.safety.meaning import meaning
from bot.safety.models import PRIORITY, Emergency, Kind, Language
from bot.safety.rules import RULES
from bot.safety.scene import Reader, Scene
from bot.safety.second import KINDS, second_opinion, words_of
from bot.safety.weigh import LIMITS


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that fired and the words it fired on; for people at a terminal, never for logs."""

    rule: Rule
    words: str


class Guard:
    """Finds emergencies in customers' messages. Stateless and safe to share between tasks."""

    def __init__(self, lexicon_file: Path = LEXICON_FILE) -> None:
        """Load the lexicon.

        Args:
            lexicon_file: the designers' words.

        Raises:
            LexiconError: if the file is wrong, or a rule uses a concept that it does not have.
        """
        self._reader = Reader(load_lexicon(lexicon_file))
        self._second = second_opinion()
        self._meaning = meaning()
        bits = self._reader.bits
        self._rules: list[tuple[tuple[int, ...], Rule]] = []
        for rule in RULES:
            contexts = (*rule.unless, rule.defers) if rule.defers else rule.unless
            groups = (*rule.parts, *(item.concepts + item.but + item.along for item in contexts))
            for concept in {name for group in groups for name in group}:
                if concept not in bits:
                    raise LexiconError(f"{lexicon_file.name}: the rule {rule.name} needs the concept {concept}")
            masks = tuple(sum(bits[name] for name in set(part)) for part in rule.parts)
            self._rules.append((masks, rule))
        rank = {kind: index for index, kind in enumerate(PRIORITY)}
        self._rules.sort(key=lambda item: (rank[item[1].kind], -item[1].sure))

    def check(self, text: str, language: str | None = None) -> Emergency | None:
        """Read one message.

        Args:
            text: what the customer typed or said.
            language: the conversation's language, "en" or "es"; the message's own language wins when it is clear.

        Returns:
            The emergency that comes first in `PRIORITY`, or None. A message that holds several gives one.
        """
        if not text or not text.strip():
            return None
        found = self.by_rules(text, language)
        opinion, loudest = self._second.of_sentences(text) if found else self._second.probabilities(text)
        sure = found.confidence if found else 0.0
        fires = LIMITS.decided(sure, opinion)
        if fires is None:
            third = self._meaning.probabilities(words_of(text), loudest) if self._meaning else None
            fires = LIMITS.fires(sure, opinion, third)
            if not found and third is not None:
                opinion = (opinion + third) / 2
        if not fires:
            return None
        if found:
            return found
        kind = cast(Kind, KINDS[1 + int(np.argmax(opinion[1:]))])
        danger = round(1.0 - float(opinion[0]), 2)
        return Emergency(kind, danger, spoken(self._reader.read(text), language), "second.opinion")

    def by_rules(self, text: str, language: str | None = None) -> Emergency | None:
        """What the rules alone find."""
        scene = self._reader.read(text)
        deferred: Rule | None = None
        seen = scene.mask
        for masks, rule in self._rules:
            if not seen & masks[0] or not all(seen & mask for mask in masks):
                continue
            if deferred and rule.kind not in (deferred.kind, "downed_wire"):
                break
            span = find(rule, scene)
            if not span:
                continue
            if rule.defers and applies(rule.defers, scene, span):
                deferred = deferred or rule
                continue
            return Emergency(rule.kind, rule.sure, spoken(scene, language), rule.name)
        if deferred:
            return Emergency(deferred.kind, deferred.sure, spoken(scene, language), deferred.name)
        return None

    def explain(self, text: str) -> list[Finding]:
        """Every rule that fires, in order of priority, with the words it fired on."""
        scene = self._reader.read(text)
        findings: list[Finding] = []
        for masks, rule in self._rules:
            if all(scene.mask & mask for mask in masks):
                span = find(rule, scene)
                if span:
                    findings.append(Finding(rule, " ".join(scene.words[span[0] : span[1]])))
        return findings

    def concepts(self, text: str) -> dict[str, list[str]]:
        """What the guard sees in a text: concepts and their words."""
        scene = self._reader.read(text)
        return {
            name: [" ".join(scene.words[low:high]) for low, high in spans]
            for name, spans in sorted(scene.spans.items())
        }


def spoken(scene: Scene, hint: str | None) -> Language:
    """The language to answer in."""
    spanish = sum(word in SPANISH and word not in ENGLISH for word in scene.words)
    english = sum(word in ENGLISH and word not in SPANISH for word in scene.words)
    if spanish != english:
        if hint == "es" and english < 2 * spanish + 2:
            return "es"
        return "es" if spanish > english else "en"
    return "es" if hint == "es" else "en"


@lru_cache(maxsize=1)
def get_guard() -> Guard:
    """The process's guard."""
    return Guard()
