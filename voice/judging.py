"""Whether an utterance was meant for us."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from voice.design import Turns
from voice.ending import echoes, is_backchannel, meaning
from voice.hearing import Utterance
from voice.protocols import Expectation

LONG_TALK = 12
"""Words that nobody says to the side while a machine speaks."""

Urgent = Callable[[str, str], bool]
"""Whether a text in a language speaks of an emergency."""
What = Literal["words", "wait", "nothing", "backchannel", "side_talk", "echo"]


class Judge:
    """Tells words for us from the rest; knows how loud this caller usually is.

    Args:
        turns: words and limits.
        urgent: the emergency guard, so that nothing urgent passes for side talk.
    """

    def __init__(self, turns: Turns, urgent: Urgent) -> None:
        self._turns = turns
        self._urgent = urgent
        self._usual: float | None = None

    def meant(self, said: Utterance) -> None:
        """This one was meant for us: it is how the caller sounds."""
        self._usual = said.level if self._usual is None else 0.7 * self._usual + 0.3 * said.level

    def kind(self, said: Utterance, expect: Expectation, language: str, over_us: bool, rest: int, lately: str) -> What:
        """What an utterance is.

        Args:
            said: the utterance.
            expect: of the answer.
            language: of the call.
            over_us: we were speaking.
            rest: pieces that we had still to say.
            lately: what we said lately.
        """
        text = said.text
        if not text:
            return "nothing"
        if self._urgent(text, language):
            return "words"
        means = meaning(self._turns.words, text, language)
        if over_us:
            if echoes(lately, text):
                return "echo"
            # A yes to a question whose last words are being heard is an answer, everything alike before is not.
            answers = expect.kind == "yes_no" and means in ("affirm", "deny") and rest <= 1
            if is_backchannel(self._turns.words, text, language) and not answers:
                return "backchannel"
            far = self._usual is not None and said.level < self._usual - self._turns.side_talk_below
            if far and means not in ("affirm", "deny") and len(text.split()) < LONG_TALK:
                return "side_talk"
        return "wait" if means == "wait" else "words"
