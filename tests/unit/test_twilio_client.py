"""Sending once: retries, lost answers, refusals."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from integrations.twilio.client import TwilioMessages
from integrations.twilio.errors import TwilioBusy, TwilioCredentials, TwilioOptedOut, TwilioRejected, TwilioUnavailable
from integrations.twilio.sent import MemorySentLog

pytestmark = pytest.mark.unit

T0 = datetime(2026, 1, 20, 12, 0, tzinfo=UTC)
Answer = httpx.Response | Exception


def created(sid: str = "SM1") -> httpx.Response:
    return httpx.Response(201, json={"sid": sid})


def refused(status: int, code: int) -> httpx.Response:
    return httpx.Response(status, json={"code": code, "message": "no", "status": status})


class Twilio:
    """Answers POSTs from a list, and lists the messages that it took."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.forms: list[dict[str, list[str]]] = []
        self.listed: list[dict[str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, json={"messages": self.listed})
        self.forms.append(parse_qs(request.content.decode(), keep_blank_values=True))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def took(self, body: str, sid: str = "SM9", at: datetime = T0) -> None:
        self.listed.insert(
            0, {"sid": sid, "body": body, "direction": "outbound-api", "date_created": format_datetime(at)}
        )


def make(twilio: Callable[[httpx.Request], httpx.Response], waits: list[float], **more: Any) -> TwilioMessages:
    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    options: dict[str, Any] = {"sender": "+15555550100", "now": lambda: T0} | more
    http = httpx.AsyncClient(transport=httpx.MockTransport(twilio))
    return TwilioMessages("AC1", "token", http=http, sleep=sleep, api_url="http://twilio.example.com", **options)


async def test_a_message_has_twilios_form() -> None:
    twilio = Twilio(created())
    client = make(twilio, [], status_callback="https://bot.example.com/twilio/status/sms")
    sid = await client.send("+12075550101", "Hello & welcome", ["https://example.com/a.png"], idempotency="t1")
    assert sid == "SM1"
    assert twilio.forms == [
        {
            "To": ["+12075550101"], "From": ["+15555550100"], "Body": ["Hello & welcome"],
            "MediaUrl": ["https://example.com/a.png"],
            "StatusCallback": ["https://bot.example.com/twilio/status/sms"],
        }
    ]  # fmt: skip


async def test_a_messaging_service_and_whatsapp_are_senders_too() -> None:
    twilio = Twilio(created(), created())
    await make(twilio, [], sender="MG1").send("+12075550101", "x", idempotency="t1")
    await make(twilio, []).send("whatsapp:+12075550101", "x", idempotency="t1")
    assert twilio.forms[0]["MessagingServiceSid"] == ["MG1"]
    assert twilio.forms[1]["From"] == ["whatsapp:+15555550100"]


async def test_the_same_key_is_sent_once() -> None:
    twilio = Twilio(created())
    client = make(twilio, [])
    assert await client.send("+12075550101", "x", idempotency="t1") == "SM1"
    assert await client.send("+12075550101", "x", idempotency="t1") == "SM1"
    assert len(twilio.forms) == 1


async def test_limits_errors_and_refused_connections_are_tried_again() -> None:
    limit = httpx.Response(429, headers={"Retry-After": "7"}, json={"code": 20429})
    twilio = Twilio(limit, httpx.Response(503), httpx.ConnectError("refused"), created())
    waits: list[float] = []
    assert await make(twilio, waits).send("+12075550101", "x", idempotency="t1") == "SM1"
    assert (len(twilio.forms), len(waits), waits[0]) == (4, 3, 7.0)


async def test_a_lost_answer_is_looked_for_before_sending_again() -> None:
    twilio = Twilio(httpx.ReadTimeout("slow"), created("SM2"))
    twilio.took("Power is back")
    assert await make(twilio, []).send("+12075550101", "Power is back", idempotency="t1") == "SM9"
    assert len(twilio.forms) == 1


async def test_an_earlier_message_with_the_same_words_is_another_message() -> None:
    twilio = Twilio(httpx.ReadTimeout("slow"), created("SM2"))
    twilio.took("Power is back", at=datetime(2026, 1, 20, 11, 58, tzinfo=UTC))
    assert await make(twilio, []).send("+12075550101", "Power is back", idempotency="t1") == "SM2"


async def test_half_an_answer_is_no_sid() -> None:
    twilio = Twilio(httpx.Response(201, content=b'{"sid'), created("SM2"))
    assert await make(twilio, []).send("+12075550101", "x", idempotency="t1") == "SM2"


async def test_a_sender_that_died_is_followed_by_a_look() -> None:
    twilio = Twilio(*[httpx.ReadTimeout("slow")] * 4)
    log = MemorySentLog()
    with pytest.raises(TwilioUnavailable):
        await make(twilio, [], sent=log).send("+12075550101", "x", idempotency="t1")
    twilio.took("x", "SM7")
    assert await make(twilio, [], sent=log).send("+12075550101", "x", idempotency="t1") == "SM7"
    assert len(twilio.forms) == 4


async def test_what_was_surely_not_sent_may_be_sent_later() -> None:
    twilio = Twilio(*[httpx.ConnectError("refused")] * 4, created())
    log = MemorySentLog()
    with pytest.raises(TwilioUnavailable):
        await make(twilio, [], sent=log).send("+12075550101", "x", idempotency="t1")
    assert await make(twilio, [], sent=log).send("+12075550101", "x", idempotency="t1") == "SM1"


async def test_two_who_send_the_same_at_once_send_one() -> None:
    gate, entered = asyncio.Event(), asyncio.Event()

    class Slow(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            entered.set()
            await gate.wait()
            return created()

    client = TwilioMessages("AC1", "t", "+15555550100", http=httpx.AsyncClient(transport=Slow()))
    first = asyncio.create_task(client.send("+12075550101", "x", idempotency="t1"))
    await entered.wait()
    with pytest.raises(TwilioBusy):
        await client.send("+12075550101", "x", idempotency="t1")
    gate.set()
    assert await first == "SM1"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refused(400, 21610), TwilioOptedOut),
        (refused(400, 21211), TwilioRejected),
        (refused(401, 20003), TwilioCredentials),
        (httpx.Response(400, content=b"nonsense"), TwilioRejected),
    ],
)
async def test_a_refusal_is_typed_and_not_repeated(answer: httpx.Response, error: type[Exception]) -> None:
    twilio = Twilio(answer)
    with pytest.raises(error):
        await make(twilio, []).send("+12075550101", "x", idempotency="t1")
    assert len(twilio.forms) == 1


async def test_a_body_that_twilio_would_refuse_is_not_sent() -> None:
    twilio = Twilio()
    with pytest.raises(TwilioRejected) as refusal:
        await make(twilio, []).send("+12075550101", "x" * 1601, idempotency="t1")
    assert refusal.value.code == 21617


def test_missing_settings_are_named() -> None:
    with pytest.raises(ValueError, match="TWILIO_ACCOUNT_SID"):
        TwilioMessages("", "t", "+15555550100")
