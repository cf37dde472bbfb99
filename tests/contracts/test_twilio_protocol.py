"""Sending against the simulated Twilio, and our requests against Twilio's own description of its API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from integrations.sandbox.twilio_api import Account
from integrations.twilio.client import TwilioMessages
from integrations.twilio.errors import TwilioBusy, TwilioCredentials, TwilioOptedOut, TwilioRejected, TwilioUnavailable
from integrations.twilio.sent import RedisSentLog
from tests.fakes.redis_server import RedisServer
from tests.fakes.sandbox import sandbox
from tests.fakes.twilio_description import description

pytestmark = pytest.mark.contract

ACCOUNT = Account("AC" + "1" * 32, "token", "+15555550100")


@pytest.fixture(scope="module")
def redis_server() -> Iterator[RedisServer]:
    server = RedisServer()
    server.start()
    yield server
    server.close()


@pytest_asyncio.fixture(loop_scope="function")
async def redis(redis_server: RedisServer) -> AsyncIterator[Redis]:
    client = Redis.from_url(redis_server.url)
    await client.flushall()
    yield client
    await client.aclose()


async def no_wait(_: float) -> None:
    return None


def client(url: str, token: str = "token", **more: Any) -> TwilioMessages:
    return TwilioMessages(ACCOUNT.sid, token, ACCOUNT.number, api_url=f"{url}/twilio", sleep=no_wait, **more)


async def thread(url: str, phone: str = "+12075550101") -> list[dict[str, Any]]:
    async with httpx.AsyncClient() as http:
        answer = (await http.get(f"{url}/sandbox/texts", params={"phone": phone})).json()
        assert isinstance(answer, list)
        return answer


async def break_it(url: str, mode: str, times: int | None = None) -> None:
    async with httpx.AsyncClient() as http:
        await http.post(f"{url}/sandbox/faults", json={"system": "twilio", "mode": mode, "times": times})


async def test_a_message_arrives_once_although_answers_were_lost(redis: Redis) -> None:
    async with sandbox(size=300, account=ACCOUNT) as (url, _):
        sender = client(url, sent=RedisSentLog(redis))
        await break_it(url, "lost", 1)
        sid = await sender.send("+12075550101", "Power is back. ¿Está bien? 😀", idempotency="turn-1")
        assert await sender.send("+12075550101", "Power is back. ¿Está bien? 😀", idempotency="turn-1") == sid
        again = client(url, sent=RedisSentLog(redis))
        assert await again.send("+12075550101", "Power is back. ¿Está bien? 😀", idempotency="turn-1") == sid
        assert [one["body"] for one in await thread(url)] == ["Power is back. ¿Está bien? 😀"]
        await sender.aclose()
        await again.aclose()


@pytest.mark.parametrize("mode", ["busy", "error", "half", "dead", "garbage"])
async def test_a_message_arrives_once_when_twilio_stumbles(redis: Redis, mode: str) -> None:
    async with sandbox(size=300, account=ACCOUNT) as (url, _):
        sender = client(url, sent=RedisSentLog(redis))
        await break_it(url, mode, 1)
        await sender.send("+12075550101", "on its way", idempotency="turn-1")
        assert len(await thread(url)) == 1
        await sender.aclose()


async def test_ten_workers_with_one_message_send_one(redis: Redis) -> None:
    async with sandbox(size=300, account=ACCOUNT) as (url, _):
        senders = [client(url, sent=RedisSentLog(redis)) for _ in range(10)]
        results = await asyncio.gather(
            *(one.send("+12075550101", "once", idempotency="turn-1") for one in senders), return_exceptions=True
        )
        assert {type(one) for one in results} <= {str, TwilioBusy}
        assert len(await thread(url)) == 1
        for one in senders:
            await one.aclose()


async def test_refusals_have_twilios_codes(redis: Redis) -> None:
    async with sandbox(size=300, account=ACCOUNT) as (url, _):
        sender = client(url, sent=RedisSentLog(redis))
        with pytest.raises(TwilioRejected) as invalid:
            await sender.send("not a number", "x", idempotency="a")
        assert invalid.value.code == 21211
        async with httpx.AsyncClient() as http:
            await http.post(f"{url}/sandbox/texts/stopped", json={"phone": "+12075550101"})
        with pytest.raises(TwilioOptedOut):
            await sender.send("+12075550101", "x", idempotency="b")
        stranger = client(url, "wrong")
        with pytest.raises(TwilioCredentials):
            await stranger.send("+12075550102", "x", idempotency="c")
        await break_it(url, "dead")
        with pytest.raises(TwilioUnavailable):
            await sender.send("+12075550102", "x", idempotency="d")
        await sender.aclose()
        await stranger.aclose()


async def test_our_request_fits_twilios_description_of_its_api() -> None:
    described = description()
    path = "/2010-04-01/Accounts/{AccountSid}/Messages.json"
    operation = described["paths"][path]["post"]
    schema = operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    seen: list[httpx.Request] = []

    def take(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(201, json={"sid": "SM1"})

    for sender in (ACCOUNT.number, "MG" + "1" * 32):
        messages = TwilioMessages(
            ACCOUNT.sid, "token", sender, status_callback="https://bot.example.com/twilio/status/sms",
            http=httpx.AsyncClient(transport=httpx.MockTransport(take)),
        )  # fmt: skip
        await messages.send("+12075550101", "Hello", ["https://example.com/a.png"], idempotency=sender)
    for request in seen:
        assert str(request.url) == f"{described['servers'][0]['url']}{path.format(AccountSid=ACCOUNT.sid)}"
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        assert request.headers["authorization"].startswith("Basic ")
        form = parse_qs(request.content.decode())
        assert set(form) <= set(schema["properties"])
        assert set(schema.get("required", [])) <= set(form)
        assert "201" in operation["responses"]
