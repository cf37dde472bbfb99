"""Callers with a script, for the benchmark of calls: recorded sound into the simulated carrier, at real pace."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from integrations.sandbox.calls.handset import Handset
from integrations.sandbox.calls.hooks import Number
from integrations.sandbox.calls.mouth import Utterance
from tests.stack import Stack
from voice.protocols import Pcm

PHONE = "+12075550101"
"""A demo customer in a confirmed outage, so that turns look it up and the greeting is a long one."""
NOTICE_SECONDS = 12.5
"""The notice of recording cannot be interrupted; after it the greeting goes on with the outage, which can."""
PATIENCE = 30.0
PARTS = ("end_of_turn", "speech_to_text", "dialogue", "text_to_speech")


@dataclass(frozen=True, slots=True)
class Say:
    """A line of the script.

    Attributes:
        words: what the recorded sound says.
        after: seconds into our answer to the last line, to interrupt it; None: when it is over.
    """

    words: str
    after: float | None = None


SCRIPT = (
    Say("Hi, my power has been out since about six, when is it coming back?", after=0.0),
    Say("Do you have any idea when the crew will get here?", after=2.5),
    Say("No, thank you.", after=2.5),
    Say("Is there a planned outage tomorrow?"),
    Say("How much do I owe on my account?", after=2.5),
    Say("Why is my bill so high this month?", after=2.5),
    Say("Thank you very much, goodbye.", after=2.5),
)


@dataclass(slots=True)
class Turn:
    """What came of one line, in seconds.

    Attributes:
        words: that were said.
        first: from the end of the caller's speech to the first byte of ours; None: no answer came.
        audible: to the first sound of it that can be heard.
        silence: from the beginning of the caller's speech, over ours, to our silence; None: we were not speaking.
    """

    words: str
    first: float | None
    audible: float | None = None
    silence: float | None = None


@dataclass(slots=True)
class Called:
    """One call.

    Attributes:
        sid: Twilio's.
        greeting: seconds from the stream's start to our first byte; None: there was none.
        turns: one a line that was said.
        refused: it got no conversation (the keypad menu instead).
        hung: it did not come to its end in any sensible time.
    """

    sid: str = ""
    greeting: float | None = None
    turns: list[Turn] = field(default_factory=list)
    refused: bool = False
    hung: bool = False


def handset(stack: Stack, http: httpx.AsyncClient) -> Handset:
    """A phone for a stack's carrier."""
    return Handset(stack.sandbox_url, Number(stack.url, public=stack.url, local=stack.url), http)


async def speak_script(
    phone: Handset, sounds: dict[str, Pcm], lines: Sequence[Say] = SCRIPT, late: float = 0.0
) -> Called:
    """Call, say every line, hang up.

    Args:
        phone: not in a call yet.
        sounds: of the words.
        lines: the script.
        late: seconds to wait before the first line, so that callers do not speak in chorus.
    """
    done = Called()
    said: list[Utterance] = []
    async with phone.call(PHONE):
        done.sid = phone.sid
        if not await phone.until("stream"):
            done.refused = True
            return done
        opened = phone.timeline.last("stream_started")
        since = began = opened.at if opened else phone.timeline.now()
        for number, line in enumerate(lines):
            if number == 0:
                await asyncio.sleep(max(0.0, began + NOTICE_SECONDS + late - phone.timeline.now()))
            elif line.after is None:
                await phone.until_quiet(since, 1.0, PATIENCE)
            else:
                await _sound(phone, since)
                await asyncio.sleep(line.after)
            if phone.verb != "stream":
                break
            said.append(phone.say(sounds[line.words], line.words))
            if not await _finished(phone, said[-1]):
                break
            since = said[-1].ended or phone.timeline.now()
            await _sound(phone, since)
        await asyncio.sleep(0.5)
    first = next((at for one in phone.streams for at, _ in one.arrivals), None)
    done.greeting = None if first is None else first - began
    done.turns = [_turn(phone, one) for one in said]
    return done


async def _finished(phone: Handset, said: Utterance) -> bool:
    """Wait for the end of a line; False when the stream ended before it."""
    for _ in range(int(PATIENCE * 100)):
        if said.done.is_set():
            return True
        if phone.verb != "stream" or not phone.is_live:
            break
        await asyncio.sleep(0.01)
    return False


async def _sound(phone: Handset, since: float) -> None:
    for _ in range(int(PATIENCE * 100)):
        if phone.first_sound(since) is not None or not phone.is_live or phone.verb != "stream":
            return
        await asyncio.sleep(0.01)


def _turn(phone: Handset, said: Utterance) -> Turn:
    if said.began is None or said.ended is None:
        return Turn(said.label, None)
    began, ended = said.began, said.ended
    first = phone.first_sound(ended)
    audible = next((one.at for one in phone.timeline.named("audible") if first and one.at >= first), None)
    cleared = next((one.at for one in phone.timeline.named("clear") if began <= one.at <= (first or ended)), None)
    return Turn(
        said.label,
        None if first is None else first - ended,
        None if audible is None else audible - ended,
        None if cleared is None else cleared - began,
    )


def logged(stack: Stack, sids: set[str]) -> list[dict[str, Any]]:
    """The gateway's own breakdown of these calls' turns (`voice.turn` in its log), in seconds."""
    found = []
    for line in stack.processes["gateway"].log.read_text(encoding="utf-8", errors="replace").splitlines():
        if '"voice.turn"' not in line:
            continue
        entry = json.loads(line)
        if entry["call"] in sids:
            found.append({name: value / 1000 if name.endswith("_ms") else value for name, value in entry.items()})
    return found
