"""The caller's side of a call: what a sound or a key means before it becomes a turn.

A cough, a "mm-hm" and somebody else in the room stop us for a moment at most; a number is read back and confirmed; keys
answer every question.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from voice import metrics
from voice.account_numbers import grouped
from voice.allowance import Allowance
from voice.confirming import Choose, Confirming, is_number, is_part, joined, possible
from voice.ending import meaning
from voice.hearing import Utterance
from voice.judging import Judge, Urgent
from voice.keypad import Keyed, Keypad
from voice.metrics import Timing
from voice.player import Clock
from voice.protocols import Expectation, Heard
from voice.speaking import Speaker, Stopped
from voice.talk import Talk
from voice.timers import Timers

log = structlog.get_logger()

MOST_FALSE_STOPS = 2
"""After so many coughs in one answer only words stop us."""
MISSED_FROM_MS = 600
"""Voice that long without words was meant for us, perhaps."""
FAILURES = 2
"""Recognitions in a row that fail before the keypad menu takes over."""
MOST_KEYS, KEYS_A_SECOND = 40, 5.0
FLOOD_SECONDS = 2.0
WRONG_KEY_SECONDS = 4.0
_MANY_WORDS = 4


class Caller:
    """What the caller does.

    Args:
        talk: the conversation's side.
        speaker: our voice.
        choose: the possible number among readings.
        urgent: the emergency guard, so that nothing urgent passes for side talk.
        timers: of the call.
        clock: seconds.
        lost: called when speech does not work any more.
    """

    def __init__(
        self,
        talk: Talk,
        speaker: Speaker,
        choose: Choose,
        urgent: Urgent,
        timers: Timers,
        clock: Clock,
        lost: Callable[[], None],
    ) -> None:
        self._talk = talk
        self._speaker = speaker
        self._choose = choose
        self._urgent = urgent
        self._timers = timers
        self._clock = clock
        self._lost = lost
        design = talk.design
        self._words = design.turns.words
        self._keypad = Keypad(design.keys, len(talk.prompts.languages) > 1)
        self._confirming = Confirming(design.questions.tries)
        self._stopped: Stopped | None = None
        self._over_us = False
        self._false_stops = 0
        self._failures = 0
        self._wrong_key_at = -WRONG_KEY_SECONDS
        self._judge = Judge(design.turns, urgent)
        self._keys_left = Allowance(MOST_KEYS, KEYS_A_SECOND)

    # -- the voice

    async def voice(self) -> None:
        """The caller is speaking: we are silent, unless what we say has to be heard."""
        self._over_us = self._over_us or self._speaker.is_busy
        if self._speaker.is_busy and not self._speaker.hold and self._false_stops < MOST_FALSE_STOPS:
            self._stopped = await self._speaker.stop()
            metrics.heard_as.labels("barge_in").inc()

    async def utterance(self, said: Utterance) -> None:
        """The caller has finished saying something."""
        over_us = self._over_us or self._speaker.is_busy
        self._over_us = False
        if said.heard is None:
            await self._not_recognised()
            return
        self._failures = 0
        text = said.text
        rest = len(self._stopped.rest) if self._stopped else 0
        what = self._judge.kind(said, self._expect, self._talk.record.language, over_us, rest, self._speaker.lately)
        metrics.heard_as.labels(what).inc()
        if what in ("nothing", "side_talk", "backchannel", "echo"):
            await self._resume()
            if what == "nothing" and said.voiced_ms >= MISSED_FROM_MS and self._talk.is_idle and not self._talk.leaving:
                self._talk.take(self._talk.ladder.missed())
            else:
                self._talk.nothing_said()
            return
        self._judge.meant(said)
        await self._hush()
        if what == "wait":
            self._talk.patience = self._talk.design.turns.wait_seconds
            self._talk.say("take_your_time")
            return
        timing = Timing(self._talk.record.call_sid, 0, "voice", said.quiet_at, said.over_at, said.heard_at)
        self._answer(said.heard, text, timing)

    async def _not_recognised(self) -> None:
        self._failures += 1
        if self._failures >= FAILURES:
            self._lost()
            return
        await self._resume()
        if self._talk.is_idle:
            self._talk.take(self._talk.ladder.missed())

    async def _resume(self) -> None:
        """It was no interruption: say the rest."""
        stopped, self._stopped = self._stopped, None
        if stopped and stopped.rest:
            self._false_stops += 1
            self._speaker.say(*stopped.rest)
        await self._talk.saying.release()

    async def _hush(self) -> None:
        """It was one: be silent, and remember what was heard."""
        stopped, self._stopped = self._stopped, None
        self._false_stops = 0
        if stopped is None and self._speaker.is_busy:
            if self._speaker.hold == "always":
                self._speaker.drop()
                return
            stopped = await self._speaker.stop()
        if stopped is not None and stopped.rest:
            self._talk.interrupted = stopped.heard

    # -- answers

    @property
    def _expect(self) -> Expectation:
        return Expectation("yes_no") if self._confirming.pending else self._talk.question.expect

    def _answer(self, heard: Heard, text: str, timing: Timing) -> None:
        language = self._talk.record.language
        question, part = self._asked, self._confirming.part
        if not self._urgent(text, language):
            number = possible(heard, question, self._choose) if is_number(heard, question) else ""
            if part is not None and not number:
                heard = joined(part, heard)
                number = possible(heard, question, self._choose) if is_number(heard, question) else ""
                text = heard.text
            if number and self._talk.question.read_back:
                self._read_back(number, question)
                return
            if not number and is_part(text, question):
                self._confirming.part = heard
                self._talk.ladder.understood()
                self._talk.say("go_on")
                return
            if not number and is_number(heard, question):
                self._number_again()
                return
            if number:
                self._ask(timing, digits=number)
                return
        if self._confirming.pending:
            means = meaning(self._words, text, language) or self._begins_with(text, language)
            if means in ("affirm", "deny"):
                self._confirmed(means == "affirm", timing)
                return
        self._ask(timing, text=text)

    @property
    def _asked(self) -> Expectation:
        """Of the number, also while it waits for a yes."""
        return self._confirming.expect if self._confirming.pending else self._talk.question.expect

    def _begins_with(self, text: str, language: str) -> str:
        """Whether a short sentence begins with a yes or a no."""
        words = text.split()
        return meaning(self._words, words[0], language) if 0 < len(words) <= _MANY_WORDS else ""

    def _ask(self, timing: Timing, *, text: str = "", digits: str = "", command: str = "") -> None:
        self._confirming.forget()
        self._talk.ask(text=text, digits=digits, command=command, timing=timing)

    def _read_back(self, digits: str, expect: Expectation) -> None:
        self._confirming.begin(digits, expect)
        self._talk.hearing.expect = self._expect
        self._talk.ladder.understood()
        self._talk.say("confirm_number", digits=grouped(digits, self._talk.record.language))
        if self._confirming.tries:
            self._talk.say("confirm_by_key")

    def _confirmed(self, right: bool, timing: Timing) -> None:
        if right:
            self._ask(timing, digits=self._confirming.pending)
        else:
            self._number_again()

    def _number_again(self) -> None:
        more = self._confirming.wrong()
        self._talk.hearing.expect = self._talk.question.expect
        if not more:
            self._confirming.forget()
        self._talk.say("number_again" if more else "number_given_up")

    # -- keys

    async def key(self, digit: str) -> None:
        """A key was pressed."""
        now = self._clock()
        if not self._keys_left.take(now):
            # No finger does this: one answer for all of them, when they stop.
            metrics.dropped.labels("keys").inc()
            self._keypad.forget()
            self._timers.set("keys", FLOOD_SECONDS, lambda: self._keyed(Keyed("too_many")))
            return
        await self._hush()
        self._timers.cancel("silence")
        choices = 0 if self._confirming.pending else len(self._talk.question.titles)
        keyed = self._keypad.press(digit, self._expect, choices, now)
        if self._keypad.deadline is not None:
            self._timers.set("keys", self._keypad.deadline - now, self._keys_rest)
        else:
            self._timers.cancel("keys")
        if keyed:
            await self._keyed(keyed)
        elif not self._timers.is_set("keys"):
            self._talk.listen()

    async def _keys_rest(self) -> None:
        choices = 0 if self._confirming.pending else len(self._talk.question.titles)
        keyed = self._keypad.idle(self._expect, choices)
        if keyed:
            await self._keyed(keyed)

    async def _keyed(self, keyed: Keyed) -> None:
        talk, now = self._talk, self._clock()
        timing = Timing(talk.record.call_sid, 0, "keys", now, now)
        log.info("voice.keyed", call=talk.record.call_sid, what=keyed.what, count=len(keyed.digits))
        keys = talk.design.keys
        if keyed.what == "person":
            self._ask(timing, command=keys.person_command)
        elif keyed.what in ("affirm", "deny"):
            if self._confirming.pending:
                self._confirmed(keyed.what == "affirm", timing)
            else:
                words = self._words.affirm if keyed.what == "affirm" else self._words.deny
                self._ask(timing, text=words["es" if talk.record.language == "es" else "en"][0])
        elif keyed.what == "back":
            if self._confirming.pending:
                self._number_again()
            else:
                self._ask(timing, command=keys.back)
        elif keyed.what == "choice":
            self._ask(timing, digits=keyed.digits)
        elif keyed.what == "digits":
            self._digits(keyed.digits, timing)
        elif keyed.what == "language":
            self._other_language()
        elif keyed.what == "cleared":
            talk.say("cleared")
        else:
            talk.say("too_many_digits" if keyed.what == "too_many" else "no_such_key")
            if now - self._wrong_key_at > WRONG_KEY_SECONDS:
                # Some wrong keys pressed at once are one mistake.
                talk.take(talk.ladder.missed())
            self._wrong_key_at = now

    def _digits(self, digits: str, timing: Timing) -> None:
        expect = self._asked
        if expect.lengths and len(digits) not in expect.lengths:
            self._number_again()
        elif self._talk.question.read_back:
            self._read_back(digits, expect)
        else:
            self._ask(timing, digits=digits)

    def _other_language(self) -> None:
        talk = self._talk
        others = [one for one in talk.prompts.languages if one != talk.record.language]
        if others:
            talk.record.language = others[0]
            talk.hearing.language = others[0]
            talk.say("language_changed")
