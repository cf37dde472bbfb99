"""The telephone behind the simulated carrier, in one process and in virtual time: webhooks, media socket, REST API.

    async with a_house(door) as house:
        call, phone = house.dial()
        await house.hears(call, "To report a power outage")

Everything between them is as between Twilio and us, but the network.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
from fastapi import FastAPI

from bot.identity.tokens import TokenRejected, Tokens
from integrations.base.settings import Settings
from integrations.base.utility import get_utility
from integrations.sandbox.calls.api import rest
from integrations.sandbox.calls.call import Call as CarrierCall
from integrations.sandbox.calls.carrier import Carrier
from integrations.sandbox.calls.follow import Answered, Dialled
from integrations.sandbox.calls.hooks import Number
from integrations.sandbox.calls.phones import LocalPhone
from integrations.twilio.calls import TwilioCalls
from tests.fakes.calls import ACCOUNT, PUBLIC, ROSA, Line, own_pace
from tests.fakes.carrier import FakeDoor, LoudIsVoice, MemoryRedis
from tests.fakes.speech import FakeSpeech, tone
from voice import telephone
from voice.call import Call

INSIDE = "http://gateway.test"


class LineOfCall:
    """The application's end of the simulated carrier's socket, as a call wants it."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._closed = False

    async def receive(self) -> str | None:
        return await self._line.to_application.get()

    async def send(self, text: str) -> None:
        if not self._closed:
            self._line.to_carrier.put_nowait(text)

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._line.to_carrier.put_nowait(None)
            self._line.to_application.put_nowait(None)


class HouseSpeech(FakeSpeech):
    """With the parts that only the gateway uses."""

    async def start(self, wait: float = 0.0) -> None:
        pass

    async def aclose(self) -> None:
        pass

    def prepare(self, texts: Any, language: str) -> None:  # type: ignore[override]
        pass

    def is_prepared(self, text: str, language: str) -> bool:
        return False


@dataclass
class House:
    """Attributes:
    door: the conversation.
    speech: the engines.
    carrier: Twilio.
    phone: of the telephone in the product.
    healthy: what the checks say.
    dialled: what becomes of a person's telephone.
    refused: why sockets were refused.
    """

    door: FakeDoor
    speech: HouseSpeech
    redis: MemoryRedis
    carrier: Carrier
    telephone: telephone.Telephone
    tokens: Tokens
    http: httpx.AsyncClient
    healthy: dict[str, bool]
    refused: list[str] = field(default_factory=list)
    serving: set[asyncio.Task[None]] = field(default_factory=set)
    used: list[str] = field(default_factory=list)
    crash: bool = False

    async def connect(self, url: str, headers: Mapping[str, str]) -> Line:
        """What voice.socket does, without FastAPI."""
        token = urlsplit(url).path.rpartition("/")[2]
        self.used.append(token)
        try:
            allowed = self.tokens.read_media(token)
            if not await self.telephone.parts.records.first_use(allowed.nonce):
                raise TokenRejected("used before")
        except TokenRejected as error:
            self.refused.append(str(error))
            raise ConnectionRefusedError from None
        record = await self.telephone.parts.records.open(allowed.call_sid)
        line = Line()
        task = asyncio.create_task(Call(LineOfCall(line), record, self.telephone.parts).run())
        self.serving.add(task)
        task.add_done_callback(self.serving.discard)
        return line

    def dial(self, sender: str = ROSA, dialled: Answered | None = None) -> tuple[CarrierCall, LocalPhone]:
        phone = LocalPhone(self.carrier.pace, self.connect)
        outcome: Dialled = lambda number: dialled or Answered(talk_seconds=5.0)  # noqa: E731  # a table of one
        return self.carrier.place(sender, phone, outcome), phone

    async def says(self, phone: LocalPhone, text: str, seconds: float = 0.8) -> None:
        self.speech.hear(text)
        phone.say(tone(440, seconds))
        await asyncio.sleep(seconds)

    async def until(self, holds: Any, seconds: float = 120.0) -> None:
        for _ in range(round(seconds * 50)):
            if holds():
                return
            await asyncio.sleep(0.02)
        raise AssertionError("it did not become true")

    async def hears(self, call: CarrierCall, part: str, seconds: float = 120.0) -> None:
        """Until the carrier's voice, or ours, says something with these words in it."""
        await self.until(lambda: part in self.said(call) or any(part in one for one in self.speech.spoken), seconds)

    @staticmethod
    def said(call: CarrierCall) -> str:
        """What the carrier's own voice said so far."""
        return " ".join(
            str(event.detail.get("text", "")) for event in call.timeline.events if event.what in ("say", "gather")
        )

    @staticmethod
    def happened(call: CarrierCall, what: str) -> list[dict[str, object]]:
        return [event.detail for event in call.timeline.events if event.what == what]


@contextlib.asynccontextmanager
async def a_house(
    door: FakeDoor | None = None, speech: HouseSpeech | None = None, **settings: Any
) -> AsyncIterator[House]:
    door, speech, redis = door or FakeDoor(), speech or HouseSpeech(), MemoryRedis()
    healthy = {"redis": True, "rasa": True}
    values: dict[str, Any] = {
        "public_url": PUBLIC,
        "twilio_account_sid": ACCOUNT.sid,
        "twilio_auth_token": ACCOUNT.token,
        "sandbox": False,
        **settings,
    }
    tokens = Tokens("secret-for-tests")
    app = FastAPI()
    http = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=INSIDE)
    number = Number(
        f"{PUBLIC}/twilio/voice",
        fallback=f"{PUBLIC}/twilio/voice/fallback",
        status=f"{PUBLIC}/twilio/status/voice",
        public=PUBLIC,
        local=INSIDE,
    )
    carrier = Carrier(ACCOUNT, number, http, own_pace())
    twilio = FastAPI()
    twilio.include_router(rest(carrier))
    api = httpx.AsyncClient(transport=httpx.ASGITransport(app=twilio))

    async def check(name: str) -> bool:
        return healthy[name]

    phone = telephone.build(
        Settings(**values),
        get_utility(),
        door,
        redis,  # type: ignore[arg-type]
        tokens,
        speech=speech,
        activity=LoudIsVoice,
        checks={name: (lambda name=name: check(name)) for name in healthy},  # type: ignore[misc]
        urgent=lambda text, language: "gas" in text,
        carrier=TwilioCalls(ACCOUNT.sid, ACCOUNT.token, api_url="http://twilio.test/twilio", http=api),
    )
    app.include_router(phone.routes)
    house = House(door, speech, redis, carrier, phone, tokens, http, healthy)
    try:
        yield house
    finally:
        await carrier.stop()
        for task in list(house.serving):
            task.cancel()
        await asyncio.gather(*house.serving, return_exceptions=True)
        await phone.stop()
        await http.aclose()
        await api.aclose()
