from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets

from integrations.base.settings import ROOT
from tests.fakes import rasa as behave
from tests.fakes.gateway import (
    Gateway,
    client,
    free_port,
    receive,
    receive_until,
    replies,
    running_gateway,
    settings_for,
    until,
    whole_turn,
)
from tests.fakes.rasa import FakeRasa, fake_rasa
from tests.fakes.redis_server import RedisServer

pytestmark = pytest.mark.service


@pytest.fixture
async def gateway(redis_server: RedisServer, rasa: FakeRasa, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running_gateway(settings_for(redis_server, rasa, tmp_path)) as running:
        await running.parts.redis.flushdb()
        yield running


async def get(gateway: Gateway, path: str, **headers: str) -> httpx.Response:
    async with client() as http:
        return await http.get(f"{gateway.url}{path}", headers=headers)


async def test_ready_says_what_is_missing_until_all_is_there(
    redis_server: RedisServer, rasa: FakeRasa, tmp_path: Path
) -> None:
    async with fake_rasa() as actions:  # anything that answers GET with 200 is an action server here
        settings = settings_for(redis_server, rasa, tmp_path, actions_port=actions.port)
        async with running_gateway(settings) as gateway:
            assert (await get(gateway, "/readyz")).json() == {
                "ready": True,
                "redis": "ok",
                "database": "ok",
                "rasa": "ok",
                "actions": "ok",
                "worker": "not ready",
            }
            await rasa.stop()
            missing = await get(gateway, "/readyz")
            assert missing.status_code == 503 and missing.json()["rasa"] == "not ready"
            assert (await get(gateway, "/healthz")).status_code == 200


async def test_metrics_count_turns_and_hold_no_customer_s_data(gateway: Gateway) -> None:
    async with gateway.chat() as socket:
        await whole_turn(socket, "zanzibar 14 Lantern Lane")
    text = (await get(gateway, "/metrics")).text
    assert 'porchlight_turns_total{channel="web",outcome="answered"}' in text
    assert 'porchlight_stage_seconds_bucket{le="0.1",stage="dialogue"}' in text and "porchlight_queue_depth" in text
    assert "zanzibar" not in text and "Lantern" not in text


# -- the OMS's door

PUSH = """<?xml version="1.0"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>
<OutageEventChangedNotification xmlns="http://www.multispeak.org/Version_3.0"><changedOutageEvents>
<outageEvent objectID="OUT-7"><outageStatus>Confirmed</outageStatus></outageEvent></changedOutageEvents>
</OutageEventChangedNotification></soap:Body></soap:Envelope>"""


async def test_a_push_to_the_right_address_becomes_events_and_is_answered_by_soap(gateway: Gateway) -> None:
    async with client() as http:
        answer = await http.post(f"{gateway.url}/multispeak/push-secret", content=PUSH)
    assert answer.status_code == 200 and "OutageEventChangedNotificationResponse" in answer.text
    [(_, fields)] = await gateway.parts.redis.xrange("oms:events")
    assert json.loads(fields["event"])["outage_id"] == "OUT-7"


@pytest.mark.parametrize("secret", ["", "wrong", "push-secre", "push-secret1", "%70ush-secre", "é"])
async def test_a_push_to_any_other_address_finds_nothing(gateway: Gateway, secret: str) -> None:
    async with client() as http:
        answer = await http.post(f"{gateway.url}/multispeak/{secret}", content=PUSH)
    assert answer.status_code == 404 and await gateway.parts.redis.xlen("oms:events") == 0


@pytest.mark.parametrize("body", ["", "not xml", "<a/>", "<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", PUSH[:300]])
async def test_a_push_that_cannot_be_read_is_a_fault(gateway: Gateway, body: str) -> None:
    async with client() as http:
        answer = await http.post(f"{gateway.url}/multispeak/push-secret", content=body)
    assert answer.status_code == 500 and "Fault" in answer.text
    assert await gateway.parts.redis.xlen("oms:events") == 0


# -- pages


async def test_the_page_and_the_widget_are_served_with_a_tight_policy(gateway: Gateway) -> None:
    page = await get(gateway, "/")
    assert "Juniper Bay Energy" in page.text and "{{" not in page.text
    assert "unsafe" not in page.headers["content-security-policy"]
    widget = await get(gateway, "/widget.js")
    assert widget.headers["content-type"].startswith("text/javascript")
    again = await get(gateway, "/widget.js", **{"if-none-match": widget.headers["etag"]})
    assert again.status_code == 304
    for path in ("/pages/demo.html", "/pages/../app.py", "/pages/%2e%2e/app.py", "/docs", "/openapi.json"):
        assert (await get(gateway, path)).status_code == 404


async def test_without_the_sandbox_its_doors_are_not_there(gateway: Gateway) -> None:
    assert (await get(gateway, "/sandbox/customers")).status_code == 404
    async with client() as http:
        login = await http.post(f"{gateway.url}/sandbox-login", json={"phone": "+12075550101"})
    assert login.status_code == 404
    assert 'id="people"' not in (await get(gateway, "/")).text


async def test_in_sandbox_mode_a_demo_customer_can_sign_in(
    redis_server: RedisServer, rasa: FakeRasa, tmp_path: Path
) -> None:
    settings = settings_for(redis_server, rasa, tmp_path, sandbox=True, sandbox_port=free_port())
    async with running_gateway(settings) as gateway, client() as http:
        token = (await http.post(f"{gateway.url}/sandbox-login", json={"phone": "(207) 555-0101"})).json()["token"]
        assert gateway.parts.tokens.read_customer(token) == "+12075550101"
        assert (await http.post(f"{gateway.url}/sandbox-login", json={"phone": "nobody"})).status_code == 422
        assert (await get(gateway, "/sandbox/customers")).status_code == 502
        assert 'id="people"' in (await get(gateway, "/")).text


async def test_only_known_sites_may_ask_for_a_session(
    redis_server: RedisServer, rasa: FakeRasa, tmp_path: Path
) -> None:
    settings = settings_for(redis_server, rasa, tmp_path, webchat_origins="https://www.example.com")
    async with running_gateway(settings) as gateway:
        ours = await get(gateway, "/chat/session", origin="https://www.example.com")
        other = await get(gateway, "/chat/session", origin="https://evil.example.org")
    assert ours.headers["access-control-allow-origin"] == "https://www.example.com"
    assert "access-control-allow-origin" not in other.headers
    cookie = ours.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie and "secure" in cookie


# -- the end of the process


def environment(settings: Any) -> dict[str, str]:
    names = ("port", "redis_url", "database_url", "rasa_urls", "twilio_account_sid", "twilio_phone_number")
    names += ("twilio_api_url", "oms_wsdl_url", "oms_user", "cis_url", "public_url", "sandbox", "run_dir")
    values = {name.upper(): str(getattr(settings, name)) for name in names}
    values["RASA_TOKEN"] = settings.rasa_token.get_secret_value()
    return {**os.environ, **values, "TWILIO_AUTH_TOKEN": "x"}


async def test_a_process_told_to_stop_finishes_the_turn_that_is_running(
    redis_server: RedisServer, rasa: FakeRasa, tmp_path: Path
) -> None:
    settings = settings_for(redis_server, rasa, tmp_path)
    go_on = asyncio.Event()
    rasa.script.append(behave.waits_for(go_on))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.fakes.gateway_process"),
        cwd=ROOT,
        env=environment(settings),
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        address = f"ws://127.0.0.1:{settings.port}/chat/ws"

        async def answers() -> bool:
            async with client() as http:
                try:
                    return (await http.get(f"http://127.0.0.1:{settings.port}/healthz")).status_code == 200
                except httpx.HTTPError:
                    return False

        await until(answers, 30)
        async with websockets.connect(address) as socket:
            hello = await receive(socket)
            await socket.send(json.dumps({"type": "user", "text": "is it back?"}))
            await until(lambda: rasa.turns)
            process.send_signal(signal.SIGTERM)
            with pytest.raises(websockets.ConnectionClosed):
                while True:
                    await receive_until(socket, "bot")
        go_on.set()
        async with asyncio.timeout(12):
            _, errors = await process.communicate()
        assert process.returncode in (0, -signal.SIGTERM)
        assert b"gateway.stopped" in errors and b"Task was destroyed" not in errors
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    async with running_gateway(settings_for(redis_server, rasa, tmp_path)) as gateway:
        entries = await gateway.parts.redis.xrange(f"conv:{hello['conversation']}")
    assert [fields["text"] for _, fields in entries] == ["is it back?", "echo: is it back?"]
    assert len(rasa.turns) == 1


async def test_a_stopped_gateway_leaves_no_task(redis_server: RedisServer, rasa: FakeRasa, tmp_path: Path) -> None:
    before = set(asyncio.all_tasks())
    async with running_gateway(settings_for(redis_server, rasa, tmp_path)) as gateway:
        async with gateway.chat() as socket:
            await whole_turn(socket, "hello")
            await socket.send(json.dumps({"type": "user", "text": "I smell gas"}))
            await replies(socket)
    left = {task for task in asyncio.all_tasks() - before if not task.done()}
    # The fake dialogue's own handlers end with their connections.
    assert not [task for task in left if "rasa" not in repr(task.get_coro())]
