from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bot.app import build
from bot.channels.sms_queue import DEAD, GROUP, TEXTS
from bot.channels.sms_worker import TextWorker
from integrations.base.settings import Settings
from integrations.records.contacts import ContactConsents
from integrations.twilio.client import TwilioMessages
from integrations.twilio.sent import RedisSentLog
from tests.fakes import rasa as behave
from tests.fakes.gateway import TOKEN, FakePhoneBook, Gateway, client, running_gateway, settings_for, until
from tests.fakes.guard import WordGuard, word_script
from tests.fakes.rasa import FakeRasa
from tests.fakes.redis_server import RedisServer
from tests.fakes.twilio import FakeTwilio, form, signed

pytestmark = pytest.mark.service

SMS = "/twilio/sms"
PUBLIC = "https://chat.example.com"
_sids = itertools.count()


def new_sid() -> str:
    return f"SM{next(_sids):032d}"


@pytest.fixture
async def gateway(redis_server: RedisServer, rasa: FakeRasa, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running_gateway(settings_for(redis_server, rasa, tmp_path)) as running:
        await running.parts.redis.flushdb()
        yield running


@pytest.fixture
def twilio() -> FakeTwilio:
    return FakeTwilio()


@contextlib.asynccontextmanager
async def working(settings: Settings, twilio: FakeTwilio, idle: float = 30.0) -> AsyncIterator[TextWorker]:
    parts = build(settings, guard=WordGuard(), script=word_script, phone_book=FakePhoneBook())

    async def no_pause(_: float) -> None:
        await asyncio.sleep(0)

    messages = TwilioMessages(
        settings.twilio_account_sid,
        TOKEN,
        settings.twilio_phone_number,
        sent=RedisSentLog(parts.redis),
        http=twilio.client(),
        sleep=no_pause,
    )
    worker = TextWorker(
        parts.redis,
        parts.switchboard,
        messages,
        ContactConsents(parts.database),
        parts.guard,
        parts.journal,
        parts.wording,
        idle=idle,
        block=0.1,
    )
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    try:
        yield worker
    finally:
        stop.set()
        await running
        await parts.aclose()


async def post(
    gateway: Gateway, fields: dict[str, str], path: str = SMS, token: str = TOKEN, **headers: str
) -> httpx.Response:
    body, signed_headers = signed(f"{PUBLIC}{path}", fields, token)
    async with client() as http:
        return await http.post(f"{gateway.url}{path}", content=body, headers={**signed_headers, **headers})


async def text(gateway: Gateway, body: str, sid: str = "", **more: str) -> None:
    answer = await post(gateway, form(sid or new_sid(), body, **more))
    assert answer.status_code == 200 and answer.text.endswith("<Response/>")


async def all_worked(gateway: Gateway, seconds: float = 20.0) -> None:
    async def none_left() -> bool:
        return not await gateway.parts.redis.xlen(TEXTS)

    await until(none_left, seconds)


# -- the webhook


async def test_a_text_is_taken_at_once_with_empty_twiml(gateway: Gateway, rasa: FakeRasa) -> None:
    await text(gateway, "my power is out")
    assert await gateway.parts.redis.xlen(TEXTS) == 1 and not rasa.turns


@pytest.mark.parametrize("body", ["", "tampered"])
async def test_a_text_that_twilio_did_not_sign_is_refused(gateway: Gateway, body: str) -> None:
    fields = form(new_sid(), "hello")
    assert (await post(gateway, fields, token="wrong")).status_code == 403
    signed_body, headers = signed(f"{PUBLIC}{SMS}", fields, TOKEN)
    async with client() as http:
        tampered = signed_body.replace(b"Body=hello", b"Body=" + body.encode())
        assert (await http.post(f"{gateway.url}{SMS}", content=tampered, headers=headers)).status_code == 403
        del headers["X-Twilio-Signature"]
        assert (await http.post(f"{gateway.url}{SMS}", content=signed_body, headers=headers)).status_code == 403
    assert await gateway.parts.redis.xlen(TEXTS) == 0


async def test_the_signature_covers_the_query(gateway: Gateway) -> None:
    assert (await post(gateway, form(new_sid(), "hello"), f"{SMS}?tenant=a&x=")).status_code == 200
    body, headers = signed(f"{PUBLIC}{SMS}?tenant=a", form(new_sid(), "hello"), TOKEN)
    async with client() as http:
        assert (await http.post(f"{gateway.url}{SMS}?tenant=b", content=body, headers=headers)).status_code == 403


@pytest.mark.parametrize("missing", ["From", "To", "MessageSid", "Body"])
async def test_a_signed_form_without_what_it_needs_is_a_bad_request(gateway: Gateway, missing: str) -> None:
    fields = {name: value for name, value in form(new_sid(), "hello").items() if name not in (missing, "SmsSid")}
    assert (await post(gateway, fields)).status_code == 400


async def test_a_text_that_comes_again_is_taken_once(gateway: Gateway) -> None:
    sid = new_sid()
    await text(gateway, "hello", sid)
    await text(gateway, "hello", sid)
    assert await gateway.parts.redis.xlen(TEXTS) == 1


async def test_a_text_while_redis_is_away_is_answered_by_the_webhook_itself(
    gateway: Gateway, redis_server: RedisServer
) -> None:
    await asyncio.to_thread(redis_server.stop)
    try:
        honest = await post(gateway, form(new_sid(), "hello"))
        script = await post(gateway, form(new_sid(), "I smell gas"))
    finally:
        await asyncio.to_thread(redis_server.start)
    assert "could not read that message" in honest.text and "<Message>" in honest.text
    assert "SCRIPT gas_leak sms en" in script.text


async def test_delivery_states_are_kept_when_signed(gateway: Gateway) -> None:
    fields = {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "30003", "To": "+12075550101"}
    assert (await post(gateway, fields, "/twilio/status/sms", token="wrong")).status_code == 403
    assert (await post(gateway, fields, "/twilio/status/sms")).status_code == 204
    [(_, kept)] = await gateway.parts.redis.xrange("sms:deliveries")
    assert kept == {"sid": "SM1", "state": "undelivered", "code": "30003"}


# -- the conversation


async def test_a_text_is_answered_in_one_text_with_numbered_choices(
    gateway: Gateway, rasa: FakeRasa, twilio: FakeTwilio
) -> None:
    rasa.script.append(behave.says("I see an outage.", "Want updates?", buttons=[("Yes", "/affirm"), ("No", "/deny")]))
    async with working(gateway.settings, twilio):
        await text(gateway, "its pitch dark at my place")
        await all_worked(gateway)
        await text(gateway, "1")
        await all_worked(gateway)
    assert twilio.bodies == ["I see an outage.\nWant updates?\nReply 1 for Yes or 2 for No.", "echo: /affirm"]
    assert rasa.turns[0]["metadata"]["phone"] == "+12075550101" and rasa.turns[0]["metadata"]["channel"] == "sms"
    assert rasa.turns[0]["conversation_id"] == rasa.turns[1]["conversation_id"]
    assert "2075550101" not in rasa.turns[0]["conversation_id"]


async def test_texts_of_a_conversation_are_answered_in_order_by_several_workers(
    gateway: Gateway, rasa: FakeRasa, twilio: FakeTwilio
) -> None:
    for number in range(8):
        await text(gateway, f"message {number}")
    async with working(gateway.settings, twilio), working(gateway.settings, twilio):
        await all_worked(gateway)
    assert rasa.texts == [f"message {number}" for number in range(8)]
    assert list(rasa.most_at_once.values()) == [1]


async def test_an_emergency_is_texted_first_though_the_turn_before_is_running(
    gateway: Gateway, rasa: FakeRasa, twilio: FakeTwilio
) -> None:
    go_on = asyncio.Event()
    rasa.script.append(behave.waits_for(go_on))
    async with working(gateway.settings, twilio):
        await text(gateway, "when is it back")
        await until(lambda: rasa.turns)
        await text(gateway, "I smell gas")
        await until(lambda: twilio.sent)
        assert twilio.bodies == ["SCRIPT gas_leak sms en"]
        go_on.set()
        await all_worked(gateway)
    assert twilio.bodies == ["SCRIPT gas_leak sms en", "echo: when is it back", "echo: /gas_leak"]


async def test_a_text_whose_worker_died_is_answered_once_by_another(
    gateway: Gateway, rasa: FakeRasa, twilio: FakeTwilio
) -> None:
    await text(gateway, "hello")
    await gateway.parts.redis.xgroup_create(TEXTS, GROUP, id="0")
    assert await gateway.parts.redis.xreadgroup(GROUP, "worker-dead", {TEXTS: ">"})
    async with working(gateway.settings, twilio, idle=0.3):
        await all_worked(gateway)
    assert twilio.bodies == ["echo: hello"]


async def test_a_turn_that_was_answered_but_not_sent_is_sent_and_not_asked_again(
    gateway: Gateway, rasa: FakeRasa, twilio: FakeTwilio
) -> None:
    twilio.script = [503] * 4
    await text(gateway, "hello")
    async with working(gateway.settings, twilio, idle=0.3):
        await all_worked(gateway)
    assert twilio.bodies == ["echo: hello"] and rasa.texts == ["hello"]


async def test_a_text_whose_answer_from_twilio_was_lost_is_not_sent_twice(
    gateway: Gateway, rasa: FakeRasa, twilio: FakeTwilio
) -> None:
    twilio.script = ["lost"]
    await text(gateway, "hello")
    async with working(gateway.settings, twilio):
        await all_worked(gateway)
    assert twilio.bodies == ["echo: hello"]


async def test_an_entry_that_cannot_be_read_goes_to_the_dead_letters(gateway: Gateway, twilio: FakeTwilio) -> None:
    await gateway.parts.redis.xadd(TEXTS, {"turn": "not json", "place": "0"})
    async with working(gateway.settings, twilio):
        await all_worked(gateway)
    [(_, letter)] = await gateway.parts.redis.xrange(DEAD)
    assert letter["reason"] == "unreadable"


async def test_what_fails_again_and_again_is_said_honestly(
    gateway: Gateway, rasa: FakeRasa, twilio: FakeTwilio
) -> None:
    await text(gateway, "hello")
    redis = gateway.parts.redis
    await redis.xgroup_create(TEXTS, GROUP, id="0")
    [[_, [(ident, _)]]] = await redis.xreadgroup(GROUP, "worker-dead", {TEXTS: ">"})
    for _ in range(6):
        await redis.xclaim(TEXTS, GROUP, "worker-dead", 0, [ident])
    async with working(gateway.settings, twilio, idle=0.2):
        await all_worked(gateway)
    assert len(twilio.bodies) == 1 and "Something on our side failed" in twilio.bodies[0]
    assert await redis.xlen(DEAD) == 1 and not rasa.turns


# -- keywords


@pytest.mark.parametrize(
    ("body", "command"),
    [
        ("OUT", "/report_outage"),
        ("stat", "/outage_status"),
        ("Status?", "/outage_status"),
        (" ON. ", "/outage_power_on"),
        ("off", "/outage_power_off"),
        ("Out cancel", "/outage_power_on"),
    ],
)
async def test_a_keyword_is_a_trusted_command(
    gateway: Gateway, rasa: FakeRasa, twilio: FakeTwilio, body: str, command: str
) -> None:
    async with working(gateway.settings, twilio):
        await text(gateway, body)
        await all_worked(gateway)
    assert rasa.texts == [command] and rasa.turns[0]["metadata"]["trusted"] is True


async def test_stop_is_confirmed_once_and_then_nothing_is_sent_but_scripts_and_start(
    gateway: Gateway, rasa: FakeRasa, twilio: FakeTwilio
) -> None:
    async with working(gateway.settings, twilio):
        for body in ("Stop!", "stop", "is my power out?", "HELP", "I smell gas", "yes", "is it back?"):
            await text(gateway, body)
            await all_worked(gateway)
    assert len(twilio.bodies) == 4
    assert "no more texts" in twilio.bodies[0]
    assert twilio.bodies[1] == "SCRIPT gas_leak sms en"
    assert "again" in twilio.bodies[2]
    assert twilio.bodies[3] == "echo: is it back?"


async def test_a_receiver_who_stopped_at_the_carrier_is_not_written_to_again(
    gateway: Gateway, rasa: FakeRasa, twilio: FakeTwilio
) -> None:
    twilio.opted_out.add("+12075550101")
    async with working(gateway.settings, twilio):
        await text(gateway, "hello")
        await all_worked(gateway)
    assert await ContactConsents(gateway.parts.database).is_stopped("+12075550101")


async def test_help_says_who_we_are_how_to_stop_and_where_a_person_is(gateway: Gateway, twilio: FakeTwilio) -> None:
    async with working(gateway.settings, twilio):
        await text(gateway, "Help")
        await text(gateway, "ayuda")
        await all_worked(gateway)
    english, spanish = sorted(twilio.bodies, key=lambda body: "Asistente" in body)
    assert all(word in english for word in ("Juniper Bay Energy", "STOP", "OUT", "STAT", "555-0100"))
    assert "ALTO" in spanish


# -- pictures and other channels


async def test_a_picture_without_words_is_answered_honestly_and_its_address_kept(
    gateway: Gateway, rasa: FakeRasa, twilio: FakeTwilio
) -> None:
    picture = "https://api.twilio.com/media/ME1"
    async with working(gateway.settings, twilio):
        await text(gateway, "", NumMedia="1", MediaUrl0=picture, MediaContentType0="image/jpeg")
        await text(gateway, "my power is out", NumMedia="1", MediaUrl0=picture, MediaContentType0="image/jpeg")
        await all_worked(gateway)
    assert "cannot look at pictures yet" in twilio.bodies[0]
    assert twilio.bodies[1] == "echo: my power is out"
    keys = [key async for key in gateway.parts.redis.scan_iter("conv:*")]
    [first, *_] = await gateway.parts.redis.xrange(keys[0])
    assert json.loads(first[1]["media"]) == [picture]


async def test_whatsapp_is_a_channel_of_its_own(gateway: Gateway, rasa: FakeRasa, twilio: FakeTwilio) -> None:
    fields = form(new_sid(), "hello", "whatsapp:+12075550101", To="whatsapp:+15555550100")
    async with working(gateway.settings, twilio):
        assert (await post(gateway, fields)).status_code == 200
        await all_worked(gateway)
    assert twilio.sent[0]["to"] == "whatsapp:+12075550101"
    assert rasa.turns[0]["metadata"]["channel"] == "whatsapp" and rasa.turns[0]["metadata"]["phone"] == "+12075550101"


async def test_silence_ends_a_thread_s_conversation(gateway: Gateway, rasa: FakeRasa, twilio: FakeTwilio) -> None:
    redis = gateway.parts.redis
    async with working(gateway.settings, twilio):
        await text(gateway, "hello")
        await all_worked(gateway)
        [key] = [key async for key in redis.scan_iter("sms:session:*")]
        assert 0 < await redis.ttl(key) <= 3_600
        await redis.set(key, "an-earlier-session")
        await text(gateway, "hello again")
        await all_worked(gateway)
    assert rasa.turns[0]["conversation_id"] != rasa.turns[1]["conversation_id"]


@pytest.mark.parametrize("body", ["", "🔥🔥🔥", "x" * 40_000, "\u202e\u200b", "/affirm"])
async def test_any_text_gets_an_answer(gateway: Gateway, rasa: FakeRasa, twilio: FakeTwilio, body: str) -> None:
    async with working(gateway.settings, twilio):
        await text(gateway, body)
        await all_worked(gateway)
    assert twilio.sent and all(len(one) <= 1_600 for one in twilio.bodies)
    assert not any(said.startswith("/") for said in rasa.texts)
