"""The telephone as the gateway sees it: put together once, started and stopped with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import structlog
from fastapi import APIRouter
from redis.asyncio import Redis

from bot.identity.tokens import Tokens
from bot.switchboard import Door
from integrations.base.settings import Settings
from integrations.base.utility import Utility
from integrations.twilio.calls import TwilioCalls
from voice import socket
from voice.account_numbers import chooser
from voice.admission import Admission, Check
from voice.confirming import Choose
from voice.design import Design, get_design
from voice.menu import Menu
from voice.parts import CallParts
from voice.pieces import pieces
from voice.prompts import Prompts
from voice.protocols import Speech, VoiceActivity
from voice.records import CallRecords
from voice.saying import Words
from voice.speakable import speakable
from voice.twiml import Documents
from voice.webhooks import Webhooks

log = structlog.get_logger()


class SpeechProcess(Speech, Protocol):
    """The speech process as the gateway sees it: a call's view of it, and its life."""

    async def start(self, wait: float = 0.0) -> None:
        """Begin to connect."""
        ...

    async def aclose(self) -> None:
        """Disconnect."""
        ...

    def prepare(self, texts: Iterable[str], language: str) -> None:
        """Keep the sound of fixed sentences, so that they are heard without the process."""
        ...

    def is_prepared(self, text: str, language: str) -> bool:
        """Whether the sound of a fixed sentence is kept."""
        ...


@dataclass(slots=True)
class Telephone:
    """All that a gateway needs for calls.

    Attributes:
        routes: webhooks and the media socket.
        parts: what calls share.
        admission: who is talked with.
        carrier: Twilio's REST API.
        speech: the engines.
        languages: that are spoken.
    """

    routes: APIRouter
    parts: CallParts
    admission: Admission
    carrier: TwilioCalls
    speech: SpeechProcess
    languages: tuple[str, ...]

    async def start(self) -> None:
        """Connect with speech, and have the fixed sentences made."""
        prompts = self.parts.words.prompts
        for language in self.languages:
            self.speech.prepare(prompts.fixed(language), language)
        await self.speech.start()

    async def stop(self) -> None:
        """End what waits. Calls end with their sockets."""
        await self.admission.stop()
        await self.speech.aclose()
        await self.carrier.aclose()


def build(
    settings: Settings,
    utility: Utility,
    door: Door,
    redis: Redis,
    tokens: Tokens,
    *,
    speech: SpeechProcess,
    activity: Callable[[], VoiceActivity],
    checks: Mapping[str, Check],
    urgent: Callable[[str, str], bool],
    choose: Choose | None = None,
    design: Design | None = None,
    carrier: TwilioCalls | None = None,
) -> Telephone:
    """Put the telephone together; nothing is called yet.

    Args:
        settings: the environment.
        utility: names and numbers.
        door: the switchboard.
        redis: remembers calls between their sockets.
        tokens: for media sockets.
        speech: the engines.
        activity: makes a detector of voice for one call.
        checks: what has to answer before a call is talked with, by name.
        urgent: the emergency guard.
        choose: the possible account number among readings; by default by the utility's own format.
        design: instead of data/voice.
        carrier: instead of Twilio's REST API as the environment says.

    Raises:
        DesignError: data/voice cannot be used.
    """
    design = design or get_design()
    languages = tuple(part.strip() for part in settings.voice_languages.split(",") if part.strip()) or ("en",)
    prompts = Prompts(design, utility, speakable, languages, settings.voice_jurisdiction)
    records = CallRecords(redis)
    documents = Documents(settings, utility, design, prompts, tokens)
    carrier = carrier or TwilioCalls.from_settings(settings)
    parts = CallParts(
        door=door,
        speech=speech,
        activity=activity,
        design=design,
        words=Words(prompts, speakable, pieces, speech.is_prepared),
        records=records,
        carrier=carrier,
        person=documents.person,
        urgent=urgent,
        choose=choose or chooser(utility.account_number),
        longest_seconds=settings.voice_longest_call_minutes * 60,
    )
    admission = Admission(speech, records, checks, settings.voice_most_calls)
    menu = Menu(design, documents, door, records, speakable)
    routes = APIRouter()
    routes.include_router(Webhooks(settings, design, documents, menu, records, admission).router())
    routes.include_router(socket.router(parts, tokens))
    if settings.sandbox_on:

        @routes.get("/sandbox/voice/{call_sid}/timings")
        async def timings(call_sid: str) -> list[dict[str, object]]:
            return parts.timings.of(call_sid)

    return Telephone(routes, parts, admission, carrier, speech, languages)
