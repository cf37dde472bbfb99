"""The telephone's own sentences, worded from `data/voice`."""

from __future__ import annotations

import itertools
import string
from collections.abc import Callable, Iterator

from integrations.base.utility import Utility
from voice.design import Design

_FIXED = {"utility", "emergency", "person"}

Speakable = Callable[[str, str], str]
"""Text to something that a voice reads well, in a language."""


class Prompts:
    """Sentences by name.

    Args:
        design: of data/voice.
        utility: names and numbers.
        speakable: makes numbers and abbreviations speakable.
        languages: that there are voices for; the first is where calls begin.
        jurisdiction: the utility's, for the disclosure.
    """

    def __init__(
        self,
        design: Design,
        utility: Utility,
        speakable: Speakable,
        languages: tuple[str, ...] = ("en",),
        jurisdiction: str = "",
    ) -> None:
        self._jurisdiction = jurisdiction
        self.languages = languages
        self._design = design
        self._speakable = speakable
        self._facts = {
            "utility": utility.utility,
            "emergency": utility.emergency_phone,
            "person": utility.human_phone,
        }
        self._turns: dict[tuple[str, str], Iterator[str]] = {}

    def say(self, name: str, language: str, **values: object) -> str:
        """The next wording of a sentence.

        Raises:
            KeyError: there is no such sentence, or a word in braces has no value.
        """
        key = (name, language)
        if key not in self._turns:
            texts = self._design.prompts[name]
            words = texts["es"] if language == "es" else texts["en"]
            self._turns[key] = itertools.cycle(words)
        return next(self._turns[key]).format(**self._facts, **values)

    def notice(self, language: str, state: str = "") -> str:
        """The recording and AI disclosure for a call from a state: the stricter of its and the utility's own."""
        ours = self._jurisdiction
        name = self._design.disclosures.notice(ours, state) if ours else self._design.disclosures.strictest
        texts = self._design.disclosures.notices[name]
        return (texts["es"] if language == "es" else texts["en"]).format(**self._facts)

    def fill(self, text: str) -> str:
        """A text of the menu with the utility's names and numbers in it."""
        return text.format(**self._facts)

    def fixed(self, language: str) -> list[str]:
        """Every sentence that never changes, as it is spoken; the disclosures first, because they are needed first."""
        texts = [(one["es"] if language == "es" else one["en"]) for one in self._design.disclosures.notices.values()]
        for wordings in self._design.prompts.values():
            texts.extend(wordings["es"] if language == "es" else wordings["en"])
        return [
            self._speakable(text.format(**self._facts), language)
            for text in texts
            if {name for _, name, _, _ in string.Formatter().parse(text) if name} <= _FIXED
        ]
