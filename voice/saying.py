"""From a text or a sentence's name to pieces for the voice; what waits for the caller's own voice waits here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from voice.hearing import Hearing
from voice.prompts import Prompts, Speakable
from voice.question import Question
from voice.records import CallRecord
from voice.speaking import Hold, Piece, Speaker
from voice.timers import Timers

HELD_SECONDS = 2.0
"""How long a reply waits for a caller who is speaking: background talk must not keep it back."""
Pieces = Callable[[str], list[str]]


@dataclass(frozen=True, slots=True)
class Words:
    """How texts become something to say.

    Attributes:
        prompts: our own sentences.
        speakable: text to words that a voice reads well.
        pieces: text to clauses, the first one short.
        is_kept: whether a speakable text is a fixed sentence whose sound is at hand, even without the speech process.
    """

    prompts: Prompts
    speakable: Speakable
    pieces: Pieces
    is_kept: Callable[[str, str], bool] = lambda text, language: False


class Saying:
    """Says things in the call's language.

    Args:
        record: of the call; knows the language.
        words: how texts are said.
        timers: of the call.
        speaker: the mouth.
        hearing: knows whether the caller is speaking.
    """

    def __init__(self, record: CallRecord, words: Words, timers: Timers, speaker: Speaker, hearing: Hearing) -> None:
        self._record = record
        self._words = words
        self._timers = timers
        self._speaker = speaker
        self._hearing = hearing
        self._held: list[Piece] = []

    def sentence(self, name: str, hold: Hold = "", turn: int = 0, values: Mapping[str, object] | None = None) -> None:
        """Say a sentence of our own, by its name.

        Args:
            name: in prompts.yml.
            hold: of each piece.
            turn: whose answer it is.
            values: for the words in braces.
        """
        text = self._words.prompts.say(name, self._record.language, **(values or {}))
        self.text(text, turn=turn, hold=hold, fixed=True)

    def text(self, text: str, *, turn: int = 0, hold: Hold = "", fixed: bool = False, first: Hold = "") -> None:
        """Say a text, clause by clause.

        Args:
            text: anything.
            turn: whose answer it is.
            hold: of each piece.
            fixed: it may be one whose sound is kept whole.
            first: of the first piece, when that is another than the rest's.
        """
        language, speakable = self._record.language, self._words.speakable
        whole = speakable(text, language) if fixed else ""
        kept = bool(whole) and self._words.is_kept(whole, language)
        texts = [whole] if kept else [speakable(one, language) for one in self._words.pieces(text)]
        pieces = [Piece(one, language, (not place and first) or hold, turn) for place, one in enumerate(texts) if one]
        if self._hearing.is_loud and not hold and not first:
            self._held.extend(pieces)
            if not self._timers.is_set("held"):
                self._timers.set("held", HELD_SECONDS, self.release)
            return
        self._speaker.say(*pieces)

    def notice(self) -> None:
        """The recording and AI disclosure, and which key changes the language."""
        record, prompts = self._record, self._words.prompts
        self.text(prompts.notice(record.language, record.state), hold="always", fixed=True)
        for other in prompts.languages:
            if other != record.language:
                offer = self._words.speakable(prompts.say("other_language", other), other)
                self._speaker.say(Piece(offer, other))

    def question(self, question: Question) -> None:
        """The open question again."""
        if question.text:
            self.text(question.text)
            self.choices(question)
        else:
            self.sentence("how_can_i_help")

    def choices(self, question: Question) -> None:
        """Which key chooses what, where that has to be heard."""
        if question.reads_choices:
            for line in question.choices(self._words.prompts, self._record.language):
                self.text(line)

    def keys(self, question: Question) -> None:
        """Which keys answer a question."""
        for line in question.keys(self._words.prompts, self._record.language):
            self.text(line)

    async def release(self) -> None:
        """Say what waited for the caller's voice to end."""
        self._timers.cancel("held")
        held, self._held = self._held, []
        self._speaker.say(*held)

    def forget(self) -> None:
        """What waited is not wanted any more."""
        self._timers.cancel("held")
        self._held = []
