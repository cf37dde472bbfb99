"""The simulated Twilio: what it answers is what Twilio's own description of its API says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs

import httpx
import jsonschema
import pytest
from fastapi import FastAPI, Request, Response
from twilio.request_validator import RequestValidator

from integrations.sandbox.texting import Webhook
from integrations.sandbox.texts import segments
from integrations.sandbox.twilio_api import Account
from integrations.sandbox.utility import Utility
from tests.fakes.sandbox import sandbox, serve
from tests.fakes.twilio_description import described

pytestmark = pytest.mark.contract

ACCOUNT = Account("AC" + "5" * 32, "token-for-tests", "+15555550100")
PUBLIC = "https://porchlight.example.com/twilio/sms"
MESSAGES = f"/twilio/2010-04-01/Accounts/{ACCOUNT.sid}/Messages"
ROSA = "+12075550101"


class Gateway:
    """Stands where our webhooks will be and keeps what it gets."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, bytes, str]] = []
        self.answer, self.status = '<?xml version="1.0"?><Response/>', 200
        self.app = FastAPI()
        self.got = asyncio.Event()

        @self.app.post("/{path:path}")
        async def take(path: str, request: Request) -> Response:
            signature = request.headers.get("X-Twilio-Signature", "")
            self.requests.append((path, await request.body(), signature))
            self.got.set()
            return Response(self.answer, status_code=self.status, media_type="text/xml")


class Twilio:
    def __init__(self, http: httpx.AsyncClient, utility: Utility, gateway: Gateway, hooks: str) -> None:
        self.http, self.utility, self.gateway, self.hooks = http, utility, gateway, hooks

    async def send(self, auth: tuple[str, str] = (ACCOUNT.sid, ACCOUNT.token), **form: Any) -> httpx.Response:
        values = {"To": ROSA, "From": ACCOUNT.number, "Body": "Hello"} | form
        return await self.http.post(f"{MESSAGES}.json", data={k: v for k, v in values.items() if v}, auth=auth)


@pytest.fixture
async def twilio() -> AsyncIterator[Twilio]:
    gateway = Gateway()
    async with (
        serve(gateway.app) as hooks,
        sandbox(size=500, account=ACCOUNT, webhook=Webhook(f"{hooks}/twilio/sms", PUBLIC)) as (url, utility),
        httpx.AsyncClient(base_url=url, timeout=20) as http,
    ):
        yield Twilio(http, utility, gateway, hooks)


async def test_a_message_is_stored_and_answered_as_twilio_describes_it(twilio: Twilio) -> None:
    answer = await twilio.send(Body="Power is back? Reply ON or OFF", MediaUrl="https://example.com/map.png")
    assert answer.status_code == 201
    jsonschema.validate(answer.json(), described("api.v2010.account.message"))
    (line,) = (await twilio.http.get("/sandbox/texts", params={"phone": ROSA})).json()
    assert line["direction"] == "outbound" and line["body"] == "Power is back? Reply ON or OFF"
    assert line["media"] == ["https://example.com/map.png"] and line["sid"] == answer.json()["sid"]


async def test_messages_can_be_fetched_and_listed(twilio: Twilio) -> None:
    sids = [(await twilio.send(Body=f"number {index}")).json()["sid"] for index in range(3)]
    auth = (ACCOUNT.sid, ACCOUNT.token)
    one = await twilio.http.get(f"{MESSAGES}/{sids[1]}.json", auth=auth)
    assert one.json()["body"] == "number 1"
    jsonschema.validate(one.json(), described("api.v2010.account.message"))
    many = (await twilio.http.get(f"{MESSAGES}.json", params={"To": ROSA}, auth=auth)).json()
    assert [message["sid"] for message in many["messages"]] == sids[::-1]
    missing = await twilio.http.get(f"{MESSAGES}/SM{'0' * 32}.json", auth=auth)
    assert (missing.status_code, missing.json()["code"]) == (404, 20404)


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"To": "555"}, 21211), ({"To": "+1207555010x"}, 21211), ({"To": ""}, 21604), ({"From": ""}, 21603),
        ({"Body": ""}, 21602), ({"From": "+15555550123"}, 21606), ({"From": "me"}, 21212),
        ({"Body": "x" * 1601}, 21617),
    ],
)  # fmt: skip
async def test_what_twilio_refuses_is_refused_with_its_code(twilio: Twilio, form: dict[str, str], code: int) -> None:
    answer = await twilio.send(**form)
    assert answer.status_code == 400
    assert answer.json()["code"] == code and answer.json()["status"] == 400
    assert answer.json()["more_info"] == f"https://www.twilio.com/docs/errors/{code}"
    assert not twilio.utility.texts.messages


async def test_wrong_credentials_are_error_20003(twilio: Twilio) -> None:
    for auth in ((ACCOUNT.sid, "guess"), ("AC" + "6" * 32, ACCOUNT.token), ("", "")):
        answer = await twilio.send(auth=auth)
        assert (answer.status_code, answer.json()["code"]) == (401, 20003)
    assert (await twilio.http.post(f"{MESSAGES}.json", data={"To": ROSA})).status_code == 401


async def test_a_number_that_said_stop_to_the_carrier_is_error_21610_until_it_says_start(twilio: Twilio) -> None:
    await twilio.http.post("/sandbox/texts/stopped", json={"phone": ROSA})
    assert (await twilio.send()).json()["code"] == 21610
    await twilio.http.post("/sandbox/texts/stopped", json={"phone": ROSA, "stopped": False})
    assert (await twilio.send()).status_code == 201


async def test_a_busy_twilio_answers_429_as_often_as_asked_and_then_takes_the_message(twilio: Twilio) -> None:
    await twilio.http.post("/sandbox/faults", json={"system": "twilio", "mode": "busy", "times": 2})
    answers = [await twilio.send() for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 201]
    assert answers[0].json()["code"] == 20429 and answers[0].headers["Retry-After"]
    assert len(twilio.utility.texts.messages) == 1


async def test_status_callbacks_are_signed_and_end_with_delivered(twilio: Twilio) -> None:
    callback = f"{twilio.hooks}/twilio/status/sms?a=b"
    sid = (await twilio.send(StatusCallback=callback)).json()["sid"]
    while len(twilio.gateway.requests) < 2:
        twilio.gateway.got.clear()
        await asyncio.wait_for(twilio.gateway.got.wait(), 10)
    seen = []
    for path, raw, signature in twilio.gateway.requests:
        form = {key: values[0] for key, values in parse_qs(raw.decode(), keep_blank_values=True).items()}
        assert path == "twilio/status/sms" and form["MessageSid"] == sid
        assert RequestValidator(ACCOUNT.token).validate(callback, form, signature)
        seen.append(form["MessageStatus"])
    assert seen == ["sent", "delivered"]


async def test_a_text_reaches_our_webhook_with_twilios_form_and_a_valid_signature(twilio: Twilio) -> None:
    sent = await twilio.http.post("/sandbox/texts", json={"from": ROSA, "body": "its pitch dark at my place"})
    assert sent.json()["status"] == 200
    ((path, raw, signature),) = twilio.gateway.requests
    form = {key: values[0] for key, values in parse_qs(raw.decode(), keep_blank_values=True).items()}
    assert path == "twilio/sms"
    assert form["Body"] == "its pitch dark at my place" and form["From"] == ROSA and form["To"] == ACCOUNT.number
    assert form["MessageSid"] == form["SmsSid"] == sent.json()["sid"] and form["NumMedia"] == "0"
    assert form["FromCity"] == "" and form["ToState"] == ""  # blank ones are sent, and signed
    assert RequestValidator(ACCOUNT.token).validate(PUBLIC, form, signature)
    assert not RequestValidator(ACCOUNT.token).validate(PUBLIC, form | {"Body": "other"}, signature)
    without_blank = {key: value for key, value in form.items() if value}
    assert not RequestValidator(ACCOUNT.token).validate(PUBLIC, without_blank, signature)


async def test_a_picture_without_words_has_an_empty_body_and_its_address(twilio: Twilio) -> None:
    await twilio.http.post("/sandbox/texts", json={"from": ROSA, "media": ["https://example.com/wire.jpg"]})
    form = parse_qs(twilio.gateway.requests[0][1].decode(), keep_blank_values=True)
    assert form["Body"] == [""] and form["NumMedia"] == ["1"]
    assert form["MediaUrl0"] == ["https://example.com/wire.jpg"] and form["MessageSid"][0].startswith("MM")


async def test_a_message_can_be_sent_twice_and_with_a_false_signature(twilio: Twilio) -> None:
    first = (await twilio.http.post("/sandbox/texts", json={"from": ROSA, "body": "hi"})).json()
    await twilio.http.post("/sandbox/texts", json={"from": ROSA, "body": "hi", "sid": first["sid"]})
    await twilio.http.post("/sandbox/texts", json={"from": ROSA, "body": "hi", "signature": "forged"})
    assert twilio.gateway.requests[0][1] == twilio.gateway.requests[1][1]
    assert twilio.gateway.requests[2][2] == "forged"
    assert len((await twilio.http.get("/sandbox/texts", params={"phone": ROSA})).json()) == 2


async def test_an_answer_in_twiml_and_a_dead_webhook_are_both_shown(twilio: Twilio) -> None:
    twilio.gateway.answer = "<Response><Message><Body>Got it &amp; thanks</Body></Message></Response>"
    await twilio.http.post("/sandbox/texts", json={"from": ROSA, "body": "hi"})
    thread = (await twilio.http.get("/sandbox/texts", params={"phone": ROSA})).json()
    assert [line["direction"] for line in thread] == ["inbound", "outbound"]
    assert thread[1]["body"] == "Got it & thanks"
    twilio.gateway.status = 500
    assert (await twilio.http.post("/sandbox/texts", json={"from": ROSA, "body": "hi"})).json()["status"] == 500


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("ж" * 70, 1),
        ("ж" * 71, 2),
        ("🙂" * 36, 2),
    ],
)
def test_segments_are_counted_as_carriers_do(body: str, count: int) -> None:
    assert segments(body) == count
