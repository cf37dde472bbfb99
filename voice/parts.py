"""What calls are made of, put together once a process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from bot.switchboard import Door
from voice.confirming import Choose, first_possible
from voice.design import Design
from voice.metrics import Timings
from voice.protocols import Speech, VoiceActivity
from voice.records import CallRecord, CallRecords
from voice.saying import Words


class Carrier(Protocol):
    """The part of Twilio's REST API that a live call needs."""

    async def direct(self, call_sid: str, twiml: str) -> None:
        """Make a call follow another document (`integrations.twilio.calls`)."""
        ...


@dataclass(frozen=True, slots=True)
class CallParts:
    """What every call shares.

    Attributes:
        door: the switchboard.
        speech: the engines.
        activity: makes a detector of voice for one call.
        design: data/voice.
        words: how texts are said.
        records: what is remembered of calls.
        carrier: Twilio.
        person: the document that connects a call with a person.
        urgent: the emergency guard.
        choose: the possible number among readings.
        timings: where each turn's times go.
        longest_seconds: of a call.
    """

    door: Door
    speech: Speech
    activity: Callable[[], VoiceActivity]
    design: Design
    words: Words
    records: CallRecords
    carrier: Carrier
    person: Callable[[CallRecord], str]
    urgent: Callable[[str, str], bool] = lambda text, language: False
    choose: Choose = first_possible
    timings: Timings = field(default_factory=Timings)
    longest_seconds: float = 1_800.0
