"""The open question of the dialogue, as a voice and a keypad see it."""

from __future__ import annotations

from dataclasses import dataclass, field

from voice.design import Design
from voice.prompts import Prompts
from voice.protocols import Expectation


@dataclass(frozen=True, slots=True)
class Question:
    """What the caller was asked last.

    Attributes:
        slot: that the answer fills; "" when it was no question.
        expect: of the answer.
        titles: of the offered choices, in their order.
        text: its words, to be said again.
        read_back: whether digits are confirmed first.
    """

    slot: str = ""
    expect: Expectation = field(default_factory=Expectation)
    titles: tuple[str, ...] = ()
    text: str = field(default="", repr=False)
    read_back: bool = False

    @classmethod
    def of(cls, design: Design, slot: str, titles: tuple[str, ...], text: str) -> Question:
        """The question that a turn ended with."""
        known = design.questions.questions.get(slot)
        return cls(slot, design.expectation(slot, titles), titles, text, bool(known and known.read_back))

    @property
    def reads_choices(self) -> bool:
        """Whether its choices have to be heard: the words of a yes-or-no question say them already."""
        return bool(self.titles) and self.expect.kind != "yes_no"

    def choices(self, prompts: Prompts, language: str) -> list[str]:
        """A sentence for each choice: press one for this, two for that."""
        return [prompts.say("press", language, key=key, title=title) for key, title in enumerate(self.titles[:9], 1)]

    def keys(self, prompts: Prompts, language: str) -> list[str]:
        """Which keys answer it."""
        if self.expect.kind == "yes_no":
            return [prompts.say("press_yes_no", language)]
        lines = self.choices(prompts, language)
        if self.expect.lengths:
            lines.append(prompts.say("key_in", language))
        return lines
