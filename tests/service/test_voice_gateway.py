"""Calls at the real gateway: its webhooks and its socket over HTTP, a real Redis and the real switchboard behind it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
import websockets

from integrations.sandbox.calls.carrier import Carrier
from integrations.sandbox.calls.hooks import Number
from integrations.sandbox.calls.phones import LocalPhone
from integrations.sandbox.calls.stream import by_network
from integrations.sandbox.twilio_api import Account
from integrations.twilio.signature import signature
from tests.fakes.carrier import LoudIsVoice, start_message
from tests.fakes.gateway import TOKEN, Gateway, running_gateway, settings_for, until
from tests.fakes.rasa import FakeRasa, Stream
from tests.fakes.redis_server import RedisServer
from tests.fakes.speech import tone
from tests.fakes.telephone import HouseSpeech

pytestmark = pytest.mark.service

ROSA = "+12075550101"
PUBLIC = "https://chat.example.com"


@pytest.fixture
def speech() -> HouseSpeech:
    return HouseSpeech()


@pytest.fixture
async def gateway(
    redis_server: RedisServer, rasa: FakeRasa, tmp_path: Path, speech: HouseSpeech
) -> AsyncIterator[Gateway]:
    settings = settings_for(redis_server, rasa, tmp_path)
    async with running_gateway(settings, speech=speech, activity=LoudIsVoice) as running:
        await running.parts.redis.flushdb()
        yield running


@pytest.fixture
async def carrier(gateway: Gateway) -> AsyncIterator[Carrier]:
    number = Number(
        f"{PUBLIC}/twilio/voice",
        fallback=f"{PUBLIC}/twilio/voice/fallback",
        status=f"{PUBLIC}/twilio/status/voice",
        public=PUBLIC,
        local=gateway.url,
    )
    running = Carrier(Account("AC" + "0" * 32, TOKEN, "+15555550100"), number)
    yield running
    await running.stop()


def a_phone(carrier: Carrier) -> LocalPhone:
    return LocalPhone(carrier.pace, lambda url, headers: by_network(carrier.number.reach(url), headers))


async def answer(stream: Stream, body: dict[str, Any]) -> None:
    await stream.start()
    await stream.say(f"You said: {body['text']}.")
    await stream.done()
    await stream.end()


async def spoken(speech: HouseSpeech, part: str) -> None:
    await until(lambda: any(part in text for text in speech.spoken))


async def post(gateway: Gateway, path: str, **form: str) -> httpx.Response:
    header = signature(f"{PUBLIC}{path}", list(form.items()), TOKEN)
    async with httpx.AsyncClient() as http:
        return await http.post(f"{gateway.url}{path}", data=form, headers={"X-Twilio-Signature": header})


async def test_a_call_is_greeted_heard_and_answered_by_the_switchboard(
    gateway: Gateway, carrier: Carrier, rasa: FakeRasa, speech: HouseSpeech
) -> None:
    rasa.default = answer
    phone = a_phone(carrier)
    call = carrier.place(ROSA, phone)
    await spoken(speech, "recorded and transcribed")
    await until(lambda: rasa.texts == ["/greet"])
    speech.hear("my power is out")
    phone.say(tone(440, 0.6))
    await until(lambda: "my power is out" in rasa.texts)
    turn = rasa.turns[-1]
    assert turn["conversation_id"] == f"call-{call.sid}"
    assert turn["metadata"]["channel"] == "voice" and turn["metadata"]["phone"] == ROSA
    await carrier.hang_up(call)
    parts = gateway.parts.telephone.parts
    await until(lambda: not parts.records.live and not speech.calls and speech.is_idle)


async def test_an_emergency_by_voice_is_answered_with_the_script_although_the_dialogue_is_dead(
    gateway: Gateway, carrier: Carrier, rasa: FakeRasa, speech: HouseSpeech
) -> None:
    phone = a_phone(carrier)
    call = carrier.place(ROSA, phone)
    await spoken(speech, "recorded and transcribed")
    await rasa.stop()
    speech.hear("I smell gas")
    phone.say(tone(440, 0.6))
    await spoken(speech, "gas")
    await carrier.hang_up(call)


async def test_a_hang_up_leaves_no_lock_on_the_conversation(
    gateway: Gateway, carrier: Carrier, rasa: FakeRasa, speech: HouseSpeech
) -> None:
    phone = a_phone(carrier)
    call = carrier.place(ROSA, phone)
    await until(lambda: rasa.texts == ["/greet"])
    await carrier.hang_up(call)
    await until(lambda: not gateway.parts.telephone.parts.records.live)

    async def unlocked() -> bool:
        return not await gateway.parts.redis.exists(f"order:{{call-{call.sid}}}:lock")

    await until(unlocked)


async def test_a_gateway_without_its_dialogue_answers_with_the_menu(
    gateway: Gateway, carrier: Carrier, rasa: FakeRasa, speech: HouseSpeech
) -> None:
    await rasa.stop()
    phone = a_phone(carrier)
    call = carrier.place(ROSA, phone)
    await until(lambda: call.doing.verb == "gather")
    assert "press one" in str(call.doing.detail["text"])
    assert not speech.calls
    await carrier.hang_up(call)


async def test_a_socket_needs_a_token_that_was_made_for_it_and_not_used(gateway: Gateway) -> None:
    sid = "CA" + "7" * 32
    document = (await post(gateway, "/twilio/voice", CallSid=sid, From=ROSA, To="+15555550100")).text
    token = document.partition("/twilio/media/")[2].partition('"')[0]
    address = f"ws://127.0.0.1:{gateway.settings.port}/twilio/media/"
    for wrong in ("nothing", token[:-1] + "x", gateway.parts.tokens.sign_session(gateway.parts.tokens.new_session())):
        with pytest.raises(websockets.InvalidStatus):
            await websockets.connect(address + wrong)
    async with websockets.connect(address + token, max_queue=None) as socket:
        with pytest.raises(websockets.InvalidStatus):
            await websockets.connect(address + token)
        await socket.send(json.dumps(start_message(call=sid)))
        async with asyncio.timeout(10):
            assert json.loads(await socket.recv())["event"] == "media"
    await until(lambda: not gateway.parts.telephone.parts.records.live)


@pytest.mark.parametrize("message", ["{", b"\x00\x01", json.dumps({"event": "start"}), "x" * 100_000])
async def test_garbage_on_the_socket_breaks_nothing(gateway: Gateway, message: str | bytes) -> None:
    sid = "CA" + "8" * 32
    document = (await post(gateway, "/twilio/voice", CallSid=sid, From=ROSA, To="+15555550100")).text
    token = document.partition("/twilio/media/")[2].partition('"')[0]
    async with websockets.connect(
        f"ws://127.0.0.1:{gateway.settings.port}/twilio/media/{token}", max_queue=None
    ) as socket:
        await socket.send(message)
        await socket.send(json.dumps(start_message(call=sid)))
        await socket.send(message)
        async with asyncio.timeout(10):
            assert json.loads(await socket.recv())["event"] == "media"
    await until(lambda: not gateway.parts.telephone.parts.records.live)


async def test_unsigned_webhooks_are_refused_as_those_of_texts_are(gateway: Gateway) -> None:
    async with httpx.AsyncClient() as http:
        form = urlencode({"CallSid": "CA" + "9" * 32})
        for path in ("/twilio/voice", "/twilio/voice/next", "/twilio/status/voice", "/twilio/sms"):
            assert (await http.post(f"{gateway.url}{path}", content=form)).status_code == 403
        assert "<Dial" in (await http.get(f"{gateway.url}/twilio/voice/fallback")).text


async def test_redis_that_dies_in_mid_call_leaves_the_emergency_script_and_an_honest_sentence(
    gateway: Gateway, carrier: Carrier, rasa: FakeRasa, speech: HouseSpeech, redis_server: RedisServer
) -> None:
    phone = a_phone(carrier)
    call = carrier.place(ROSA, phone)
    await until(lambda: rasa.texts == ["/greet"])
    await asyncio.to_thread(redis_server.stop)
    try:
        speech.hear("I smell gas")
        phone.say(tone(440, 0.6))
        await spoken(speech, "gas")
        await until(lambda: phone.mouth.is_busy is False)
        speech.hear("what is the status")
        phone.say(tone(440, 0.6))
        await spoken(speech, "Something on our side failed")
    finally:
        await asyncio.to_thread(redis_server.start)
    await carrier.hang_up(call)
    await until(lambda: not gateway.parts.telephone.parts.records.live)
