"""The conversation's side of a call: turns to the switchboard, replies to the voice, silence to the ladder.

Everything happens one after the other: whatever comes (sound, keys, replies, timers) is posted to the call and done in
turn, so nothing here needs a lock. The caller's side is `voice.caller`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from bot.switchboard import Door, Reply
from voice.answering import Answers
from voice.design import Design, Rung
from voice.hearing import Hearing, Post
from voice.ladder import Ladder
from voice.metrics import Timing, Timings
from voice.player import Clock
from voice.question import Question
from voice.records import CallRecord, CallRecords, Next
from voice.saying import Saying, Words
from voice.speaking import Hold, Piece, Speaker
from voice.timers import Timers
from voice.turn import spoken_turn

log = structlog.get_logger()

FILLER_SECONDS = 1.0
LONG_FILLER_SECONDS = 7.0
GREET = "/greet"
_FAILED = ("system_failed", "system_failed_unkept", "system_busy")
_INSTEAD = {
    "system_failed": "failed",
    "system_failed_unkept": "failed",
    "system_no_reply": "say_again",
    "system_unreadable": "say_again",
}
"""The switchboard's own sentences name numbers to call; whoever is on the telephone has a key for that."""


class Talk:
    """What is said to the caller, and why.

    Args:
        record: of the call.
        records: where it is kept.
        stream: tells this stream's turns from an earlier one's.
        design: data/voice.
        words: how texts are said.
        door: the switchboard.
        timings: where each turn's times go.
        timers: of the call.
        post: hands work to the call.
        leave: ends the stream; what comes next is in the record.
        clock: seconds.
    """

    def __init__(
        self,
        *,
        record: CallRecord,
        records: CallRecords,
        stream: str,
        design: Design,
        words: Words,
        door: Door,
        timings: Timings,
        timers: Timers,
        post: Post,
        leave: Callable[[Next], None],
        clock: Clock,
    ) -> None:
        self.record = record
        self.design = design
        self.prompts = words.prompts
        self.question = Question.of(design, record.asking, tuple(record.titles), record.question)
        self.ladder = Ladder(design.ladder)
        self.interrupted: str | None = None
        """What of our last words was heard, for the next turn."""
        self.leaving: Next | None = None
        self.final = False
        """Nothing that the caller says changes that we are leaving."""
        self.patience: float | None = None
        """Seconds of silence instead of the ladder's, once."""
        self._records = records
        self._stream = stream
        self._timings = timings
        self._timers = timers
        self._leave = leave
        self._clock = clock
        self._answers = Answers(door, post, self.replied, self.answered)
        self._number = self._greeting = 0
        self._open: set[int] = set()
        self._timing: Timing | None = None
        self._titles: list[str] = []
        self._last = ""
        self._replied = 0
        self._wants_person = False
        self._silence_due = False
        self._keeping: asyncio.Task[None] | None = None
        self._dirty = False
        self._notice: Timing | None = None
        self._notice_said = False
        self._words = words
        self.speaker: Speaker
        self.hearing: Hearing
        self.saying: Saying

    def attach(self, speaker: Speaker, hearing: Hearing) -> None:
        """Give it a mouth and an ear; they are made after it, because they call it."""
        self.speaker, self.hearing = speaker, hearing
        hearing.expect = self.question.expect
        self.saying = Saying(self.record, self._words, self._timers, speaker, hearing)

    # -- the beginning and the end

    async def begin(self, reason: str) -> None:
        """The first words: the notice, then what the dialogue knows about this caller, or where we were.

        Args:
            reason: "" for a new call; "nobody" when no person took it; "resumed" when the stream was lost.
        """
        record, now = self.record, self._clock()
        if not record.noticed:
            self._notice = Timing(record.call_sid, 0, "notice", quiet_at=now, over_at=now, asked_at=now)
            self._notice_said = True
            self.saying.notice()
        if reason == "nobody":
            self.say("nobody")
        elif record.greeted:
            self.say("resumed")
            self.saying.question(self.question)
        if not record.greeted:
            record.greeted = True
            self.ask(command=GREET, timing=Timing(record.call_sid, 0, "greeting", quiet_at=now, over_at=now))
        self._keep()

    async def aclose(self) -> None:
        """Let the turn under way end by itself, for a moment; nothing is said any more."""
        if self._keeping:
            await asyncio.gather(self._keeping, return_exceptions=True)
        await self._answers.aclose()

    def _keep(self) -> None:
        """Keep the record, without the call having to wait for it."""
        self._dirty = True
        if self._keeping is None or self._keeping.done():
            self._keeping = asyncio.create_task(self._save())

    async def _save(self) -> None:
        while self._dirty:
            self._dirty = False
            await self._records.save(self.record)

    def end(self, then: Next) -> None:
        """End the stream when everything has been said."""
        self.leaving = then
        self._timers.cancel("silence", "filler", "held")
        if not self.speaker.is_busy:
            self._leave(then)

    # -- saying

    @property
    def is_idle(self) -> bool:
        """Whether it is the caller's turn to speak."""
        return not self.speaker.is_busy and self._number not in self._open

    def say(self, name: str, hold: Hold = "", **values: object) -> None:
        """Say a sentence of our own."""
        self.saying.sentence(name, hold, values=values)

    def begun(self, piece: Piece) -> None:
        """A piece's first sound has left."""
        if piece.hold == "always" and self._notice:
            self._notice.sound_at = self._clock()
            self._timings.done(self._notice)
            self._notice = None
        elif piece.hold != "always":
            self.record.noticed = True
        timing = self._timing
        if timing is not None and piece.turn == timing.turn and timing.asked_at:
            timing.sound_at = self._clock()
            self._timing = None
            if timing.by != "greeting" or not self._notice_said:
                # A greeting that waited for the notice to be heard tells nothing of how fast we are.
                self._timings.done(timing)

    async def idle(self) -> None:
        """Everything has been said and heard."""
        if self.speaker.is_busy:
            return
        self.record.noticed = True
        if self.leaving:
            self._leave(self.leaving)
        elif self.is_idle:
            if self._wants_person:
                self.bring_person()
            else:
                self.listen()

    # -- turns

    def ask(self, *, text: str = "", digits: str = "", command: str = "", timing: Timing) -> None:
        """Hand the caller's words to the conversation; what was said before is over.

        However many turns are under way: one more may be an emergency, and the switchboard has a limit for the others.
        """
        self._number += 1
        number = self._number
        self._open.add(number)
        self.saying.forget()
        self._titles = []
        self._last = ""
        self._wants_person = command == self.design.keys.person_command
        if command == GREET:
            self._greeting = number
        else:
            self.ladder.understood()
        if self.leaving == "hang_up" and not self.final:
            self.leaving = None
        self._timers.cancel("silence")
        self.speaker.begin()
        timing.turn, timing.asked_at = number, self._clock()
        self._timing = timing
        record = self.record
        turn = spoken_turn(
            record.conversation_id,
            f"{record.call_sid}.{self._stream[-12:]}.{number}",
            phone=record.phone or None,
            language=record.language,
            text=text,
            digits=digits,
            command=command,
            interrupted=self.interrupted,
        )
        self.interrupted = None
        self._answers.start(number, turn)
        self._timers.set("filler", FILLER_SECONDS, lambda: self._filler(number, "filler"))

    async def _filler(self, number: int, name: str) -> None:
        if number != self._number or number not in self._open or self.leaving:
            return
        if not self.speaker.is_busy and not self.hearing.is_loud and self._replied != number:
            if self._timing and self._timing.turn == number:
                self._timing.filler = True
            self.saying.sentence(name, turn=number)
        self._timers.set("filler", LONG_FILLER_SECONDS, lambda: self._filler(number, "filler_long"))

    async def slow(self) -> None:
        """What the caller said is long in being recognised."""
        if self.is_idle and not self.leaving:
            self.say("filler")

    async def replied(self, number: int, reply: Reply) -> None:
        """A reply came. One to a turn that the caller has spoken past is not said, unless it is about their safety."""
        is_safety = reply.source == "safety"
        if not is_safety and (self.leaving or number != self._number):
            return
        if self._timing and self._timing.turn == number and not self._timing.reply_at:
            self._timing.reply_at = self._clock()
        if is_safety:
            await self.speaker.stop()
            self.saying.forget()
            self.saying.text(reply.text, turn=number, first="words")
        elif number == self._greeting and reply.response in _FAILED:
            # Nobody has asked for anything yet; whether it still fails is told when somebody does.
            self.say("how_can_i_help")
            return
        elif reply.response in _INSTEAD:
            self.say(_INSTEAD[reply.response])
        elif reply.text:
            self.saying.text(reply.text, turn=number)
        if reply.text:
            self._last, self._replied = reply.text, number
        titles = [button.title for button in reply.buttons]
        self._titles.extend(titles)
        if reply.response in self.design.people.transfer_after:
            self._wants_person = True
        if reply.response in _FAILED:
            self._failed()
        elif reply.source == "bot":
            self.ladder.worked()
        if reply.final and number == self._number:
            self.ask_about(Question.of(self.design, reply.asking, tuple(self._titles), self._last))
            self.saying.choices(self.question)

    async def answered(self, number: int, well: bool) -> None:
        """Nothing more comes to a turn."""
        self._open.discard(number)
        if number != self._number or self.leaving:
            return
        self._timers.cancel("filler")
        if not well and number == self._greeting:
            self.say("how_can_i_help")
        elif not well:
            self.say("failed")
            self._failed()
        record = self.record
        record.asking, record.question = self.question.slot, self.question.text
        record.titles = list(self.question.titles)
        self._keep()
        if not self.speaker.is_busy:
            await self.idle()

    def ask_about(self, question: Question) -> None:
        """What the caller is expected to answer now."""
        self.question = question
        self.hearing.expect = question.expect

    def _failed(self) -> None:
        if self.ladder.failed():
            self._wants_person = True

    # -- silence

    def listen(self) -> None:
        """It is the caller's turn."""
        self._silence_due = False
        seconds, self.patience = self.patience or self.ladder.seconds(), None
        self._timers.set("silence", seconds, self._silence)

    async def _silence(self) -> None:
        if not self.is_idle or self.leaving:
            return
        if self.hearing.is_busy:
            # What is being said decides; when it is nothing, the silence has lasted long enough.
            self._silence_due = True
            return
        self.take(self.ladder.silent())

    def nothing_said(self) -> None:
        """What seemed to be speech was none."""
        if self._silence_due and self.is_idle:
            self._silence_due = False
            self.take(self.ladder.silent())
        elif self.is_idle and not self._timers.is_set("silence") and not self.leaving:
            self.listen()

    def take(self, rung: Rung) -> None:
        """Do what a rung of the ladder says."""
        log.info("voice.rung", call=self.record.call_sid, say=rung.say)
        self.say(rung.say)
        if rung.then == "ask_again":
            self.saying.question(self.question)
        elif rung.then == "read_keys":
            self.saying.keys(self.question)
        elif rung.then == "person":
            self.bring_person()
        elif rung.then == "hang_up":
            self.end("hang_up")

    def bring_person(self) -> None:
        """Transfer the call, when what is being said has been heard."""
        self._wants_person = False
        if self.leaving != "person":
            self.say("connecting", hold="words")
            self.end("person")
