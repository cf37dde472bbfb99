"""The emergency guard: reads every turn before anything else does.

Lexical and structural; no model, no network, no back-end, the same answer every time. It prefers a false alarm to a
miss: an alarm costs the customer one sentence, a miss may cost a life. Sources of what counts as an emergency:
`research/utility-domain.md` 3.8 and 3.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from bot.safety.lexicon import LEXICON_FILE, LexiconError, load_lexicon
from bot.safety.matching import Rule, find
from bot.safety.models import PRIORITY, Emergency, Language
from bot.safety.rules import RULES
from bot.safety.scene import Reader, Scene

# Function words and key words that belong to one of the two languages only.
_SPANISH = frozenset(
    "el la los las un una de del en mi mis su sus que y con por para es esta estan hay se me le les nos no tengo tiene tenemos huele olor gas fuga cable cables poste "
    "cayo caido luz humo chispas fuego incendio enchufe contacto casa calle cocina monoxido alarma suena sonando mareado mareados cabeza duele oxigeno maquina mama papa "
    "mijo hijo hija esposo esposa nino nina bebe abuela abuelo ayuda auxilio urgente ahorita favor quemado quema toques corriente medidor estufa calentador sin muy como "
    "desde porque pero ya aqui llevo llevamos fue respirar insulina podrido podridos".split()
)
_ENGLISH = frozenset(
    "the a an is are was my our your his her i im we it its there theres and or of in on at to for with from that this smell smells power out wire wires down line house "
    "please help just been has have not dont cant what when where how who why you they he she some any outlet fire smoke pole street going off".split()
)
_BOTH = _SPANISH & _ENGLISH


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
        bits = self._reader.bits
        self._rules: list[tuple[tuple[int, ...], Rule]] = []
        for rule in RULES:
            for concept in {name for group in (*rule.parts, *(item.concepts + item.but + item.along for item in rule.unless)) for name in group}:
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
        scene = self._reader.read(text)
        for masks, rule in self._rules:
            if all(scene.mask & mask for mask in masks) and find(rule, scene):
                return Emergency(rule.kind, rule.sure, spoken(scene, language), rule.name)
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
        return {name: [" ".join(scene.words[low:high]) for low, high in spans] for name, spans in sorted(scene.spans.items())}


def spoken(scene: Scene, hint: str | None) -> Language:
    """The language to answer in."""
    spanish = sum(word in _SPANISH and word not in _BOTH for word in scene.words)
    english = sum(word in _ENGLISH and word not in _BOTH for word in scene.words)
    if spanish != english:
        if hint == "es" and english < 2 * spanish + 2:
            return "es"
        return "es" if spanish > english else "en"
    return "es" if hint == "es" else "en"


@lru_cache(maxsize=1)
def get_guard() -> Guard:
    """The process's guard."""
    return Guard()
