"""The simulated carrier over real HTTP and WebSockets: its API is Twilio's, and phones elsewhere take part by it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator
from urllib.parse import parse_qsl

import httpx
import jsonschema
import pytest
from fastapi import FastAPI, Request, Response, WebSocket, WebSocketDisconnect
from twilio.request_validator import RequestValidator

from integrations.sandbox.calls import sound
from integrations.sandbox.calls.handset import CarrierAway, Handset
from integrations.sandbox.calls.hooks import Number
from integrations.sandbox.twilio_api import Account
from integrations.twilio.calls import TwilioCalls
from integrations.twilio.errors import CallOver, TwilioCredentials
from tests.fakes.calls import until
from tests.fakes.sandbox import sandbox, serve
from tests.fakes.twilio_description import described, description

pytestmark = pytest.mark.contract

ACCOUNT = Account("AC" + "5" * 32, "token-for-tests", "+15555550100")
PUBLIC = "https://porchlight.example.com"
ROSA = "+12075550101"
STREAM = '<Response><Connect><Stream url="wss://porchlight.example.com/twilio/media/t"/></Connect></Response>'
TRANSFER = '<Response><Dial action="/twilio/after">555-555-0100</Dial></Response>'


class Application:
    """Answers each call with a stream; greets, and says everything again that it hears loudly."""

    def __init__(self) -> None:
        self.document = STREAM
        self.forms: list[tuple[str, dict[str, str], str]] = []
        self.events: list[str] = []
        self.ended = asyncio.Event()
        self.app = FastAPI()

        @self.app.post("/twilio/{name}")
        async def hook(name: str, request: Request) -> Response:
            form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
            self.forms.append((name, form, request.headers.get("X-Twilio-Signature", "")))
            text = self.document if name == "voice" else "<Response><Say>Goodbye</Say></Response>"
            return Response(text, media_type="text/xml")

        @self.app.websocket("/twilio/media/t")
        async def media(socket: WebSocket) -> None:
            await socket.accept()
            with contextlib.suppress(WebSocketDisconnect):
                await self.talk(socket)
            self.ended.set()

    async def talk(self, socket: WebSocket) -> None:
        while True:
            message = json.loads(await socket.receive_text())
            event, sid = message["event"], message.get("streamSid")
            self.events.append(event)
            if event == "start":
                greeting = base64.b64encode(b"\x10" * 1600).decode()
                await socket.send_json({"event": "media", "streamSid": sid, "media": {"payload": greeting}})
                await socket.send_json({"event": "mark", "streamSid": sid, "mark": {"name": "greeted"}})
            elif event == "media":
                payload = base64.b64decode(message["media"]["payload"])
                if any(byte & 0x7F < 0x60 for byte in payload):
                    await socket.send_json({"event": "media", "streamSid": sid, "media": message["media"]})


class House:
    def __init__(self, application: Application, http: httpx.AsyncClient, url: str, number: Number) -> None:
        self.application, self.http, self.url, self.number = application, http, url, number
        self.api = TwilioCalls(ACCOUNT.sid, ACCOUNT.token, api_url=f"{url}/twilio", http=http)

    def phone(self) -> Handset:
        return Handset(self.url, self.number, self.http)

    async def rest(
        self, path: str, auth: tuple[str, str] = (ACCOUNT.sid, ACCOUNT.token), **form: str
    ) -> httpx.Response:
        url = f"{self.url}/twilio/2010-04-01/Accounts/{ACCOUNT.sid}/Calls/{path}.json"
        return await (self.http.post(url, data=form, auth=auth) if form else self.http.get(url, auth=auth))


@pytest.fixture
async def house() -> AsyncIterator[House]:
    application = Application()
    async with serve(application.app) as hooks:
        number = Number(f"{PUBLIC}/twilio/voice", status=f"{PUBLIC}/twilio/status", public=PUBLIC, local=hooks)
        async with (
            sandbox(size=200, account=ACCOUNT, number=number, ticking=False) as (url, _),
            httpx.AsyncClient(timeout=20) as http,
        ):
            yield House(application, http, url, number)


async def test_a_phone_elsewhere_hears_the_greeting_speaks_presses_and_hangs_up(house: House) -> None:
    phone = house.phone()
    async with phone.call(ROSA):
        assert await phone.until("stream")
        await until(lambda: bool(phone.timeline.named("mark")))
        before = len(phone.media.arrivals) if phone.media else 0
        await phone.say(sound.tone(500, 0.3)).done.wait()
        await phone.press("5")
        await until(lambda: "dtmf" in house.application.events)
        assert phone.media is not None and len(phone.media.arrivals) >= before + 15
    await asyncio.wait_for(house.application.ended.wait(), 10)
    assert house.application.events[:2] == ["connected", "start"] and house.application.events[-1] == "stop"
    both = phone.recording.samples()
    assert both[:, 0].any() and both[:, 1].any()
    names = [name for name, _, _ in house.application.forms]
    await until(lambda: len(house.application.forms) == 2)
    assert names[0] == "voice" and house.application.forms[1][1]["CallStatus"] == "completed"
    for name, form, signature in house.application.forms:
        assert RequestValidator(ACCOUNT.token).validate(f"{PUBLIC}/twilio/{name}", form, signature)


async def test_our_own_client_transfers_a_call_and_the_phone_sees_it(house: House) -> None:
    phone = house.phone()
    async with phone.call(ROSA, status="busy", ring_seconds=0.1):
        assert await phone.until("stream")
        await house.api.direct(phone.sid, TRANSFER)
        await until(lambda: not phone.is_live)
    (after,) = [form for name, form, _ in house.application.forms if name == "after"]
    assert after["DialCallStatus"] == "busy"
    assert [event.what for event in phone.timeline.named("dial", "say", "ended")] == ["dial", "say", "ended"]
    assert house.application.events[-1] == "stop"
    with pytest.raises(CallOver):
        await house.api.hang_up(phone.sid)


async def test_our_own_client_hangs_up(house: House) -> None:
    phone = house.phone()
    async with phone.call(ROSA):
        assert await phone.until("stream")
        await house.api.hang_up(phone.sid)
        await until(lambda: not phone.is_live)
    await asyncio.wait_for(house.application.ended.wait(), 10)


async def test_a_call_is_shown_as_twilio_describes_it_while_it_lasts_and_after(house: House) -> None:
    phone = house.phone()
    async with phone.call(ROSA):
        assert await phone.until("stream")
        shown = (await house.rest(phone.sid)).json()
        jsonschema.validate(shown, described("api.v2010.account.call"))
        assert (shown["status"], shown["from"], shown["direction"]) == ("in-progress", ROSA, "inbound")
    shown = (await house.rest(phone.sid)).json()
    jsonschema.validate(shown, described("api.v2010.account.call"))
    assert shown["status"] == "completed" and shown["duration"].isdigit()


async def test_what_cannot_be_changed_is_refused_with_twilios_codes(house: House) -> None:
    missing = await house.rest("CA" + "0" * 32)
    assert (missing.status_code, missing.json()["code"]) == (404, 20404)
    phone = house.phone()
    async with phone.call(ROSA):
        assert await phone.until("stream")
        for form, code in (
            ({"Status": "sleeping"}, 20001), ({"Twiml": "<Response/>", "Url": f"{PUBLIC}/x"}, 20001),
            ({"Twiml": "<Respo"}, 12100), ({"Twiml": f"<Response><Say>{'x' * 4000}</Say></Response>"}, 20001),
            ({"Url": "ftp://example.com"}, 21205), ({"Friendly": "x"}, 20001),
        ):  # fmt: skip
            answer = await house.rest(phone.sid, **form)
            assert (answer.status_code, answer.json()["code"]) == (400, code)
        wrong = await house.rest(phone.sid, auth=(ACCOUNT.sid, "guess"), Status="completed")
        assert (wrong.status_code, wrong.json()["code"]) == (401, 20003)
        assert phone.is_live
    over = await house.rest(phone.sid, Status="completed")
    assert (over.status_code, over.json()["code"]) == (400, 21220)
    with pytest.raises(TwilioCredentials):
        await TwilioCalls(ACCOUNT.sid, "guess", api_url=f"{house.url}/twilio", http=house.http).hang_up(phone.sid)


async def test_an_update_by_address_fetches_the_document(house: House) -> None:
    phone = house.phone()
    async with phone.call(ROSA):
        assert await phone.until("stream")
        assert (await house.rest(phone.sid, Url=f"{PUBLIC}/twilio/other")).status_code == 200
        await until(lambda: not phone.is_live)
    assert "other" in [name for name, _, _ in house.application.forms]


async def test_the_keypad_menu_works_from_a_phone_elsewhere(house: House) -> None:
    house.application.document = (
        '<Response><Gather action="/twilio/menu" numDigits="1"><Say>Press one</Say></Gather></Response>'
    )
    phone = house.phone()
    async with phone.call(ROSA):
        assert await phone.until("gather")
        await phone.press("1")
        await until(lambda: not phone.is_live)
    (menu,) = [form for name, form, _ in house.application.forms if name == "menu"]
    assert menu["Digits"] == "1"


async def test_a_socket_that_is_dropped_ends_the_stream_and_not_the_process(house: House) -> None:
    phone = house.phone()
    async with phone.call(ROSA):
        assert await phone.until("stream")
        assert phone.media is not None
        phone.media.drop()
        await until(lambda: not phone.is_live)
    await asyncio.wait_for(house.application.ended.wait(), 10)
    assert "stop" not in house.application.events


async def test_a_carrier_that_is_away_is_named(house: House) -> None:
    away = Handset("http://127.0.0.1:9", house.number, house.http)
    with pytest.raises(CarrierAway):
        async with away.call(ROSA):
            pass


async def test_the_fields_of_our_update_are_those_that_twilio_describes() -> None:
    paths = description()["paths"]
    update = paths["/2010-04-01/Accounts/{AccountSid}/Calls/{Sid}.json"]["post"]["requestBody"]["content"]
    known = set(update["application/x-www-form-urlencoded"]["schema"]["properties"])
    assert {"Twiml", "Url", "Method", "Status"} <= known
