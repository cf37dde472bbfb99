"""Twilio's webhooks for calls: signatures, retries, tokens, and documents that are always TwiML."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest

from integrations.twilio.signature import signature
from tests.fakes.calls import ACCOUNT, PUBLIC
from tests.fakes.carrier import FakeDoor
from tests.fakes.telephone import House, a_house
from tests.fakes.virtual_time import virtually

pytestmark = pytest.mark.unit

CALL = "CA" + "1" * 32
FORM = {"CallSid": CALL, "From": "+12075550101", "To": "+15555550100", "FromState": "ME", "CallerName": ""}


async def post(house: House, path: str, form: dict[str, str] | None = None, sign: bool = True) -> Any:
    fields = FORM if form is None else form
    header = signature(f"{PUBLIC}{path}", list(fields.items()), ACCOUNT.token if sign else "another token")
    return await house.http.post(
        path,
        content=urlencode(fields),
        headers={"X-Twilio-Signature": header, "Content-Type": "application/x-www-form-urlencoded"},
    )


def token_of(document: str) -> str:
    found = re.search(r"/twilio/media/([^\"?]+)\"", document)
    assert found
    return found[1]


def test_a_call_is_answered_by_a_stream_whose_address_ends_in_a_token_and_a_way_on_after_it() -> None:
    async def scene() -> None:
        async with a_house() as house:
            answer = await post(house, "/twilio/voice")
            assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/xml")
            root = ElementTree.fromstring(answer.text)
            assert [child.tag for child in root] == ["Connect", "Redirect"]
            assert root[0][0].attrib["url"].startswith("wss://porchlight.example.com/twilio/media/")
            assert house.tokens.read_media(token_of(answer.text)).call_sid == CALL

    virtually(scene())


PATHS = [
    "/twilio/voice", "/twilio/voice/next", "/twilio/voice/dialled", "/twilio/voice/menu?at=main&step=1",
    "/twilio/status/voice",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_what_twilio_did_not_sign_is_refused(path: str) -> None:
    async def scene() -> None:
        async with a_house() as house:
            assert (await post(house, path, sign=False)).status_code == 403
            assert (await house.http.post(path, content=urlencode(FORM))).status_code == 403
            assert not house.speech.admitted and not house.door.turns

    virtually(scene())


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("form", [{}, {"CallSid": ""}, {"CallSid": "../../x"}, {"CallSid": "C" * 65}])
def test_a_form_without_a_call_is_a_bad_request(path: str, form: dict[str, str]) -> None:
    async def scene() -> None:
        async with a_house() as house:
            assert (await post(house, path, form)).status_code in (204, 400)
            assert not house.speech.calls

    virtually(scene())


def test_twilios_retry_is_the_same_call() -> None:
    async def scene() -> None:
        async with a_house() as house:
            first, second = await post(house, "/twilio/voice"), await post(house, "/twilio/voice")
            assert token_of(first.text) != token_of(second.text)
            assert house.speech.calls == {CALL}
            record = await house.telephone.parts.records.find(CALL)
            assert record is not None and record.streams == 0

    virtually(scene())


def test_a_retried_key_is_answered_with_the_same_turn() -> None:
    async def scene() -> None:
        async with a_house(FakeDoor(default="All is well.")) as house:
            form = {**FORM, "Digits": "2"}
            for _ in range(2):
                answer = await post(house, "/twilio/voice/menu?at=main&step=4", form)
                assert answer.status_code == 200
            assert [turn.turn_id for turn in house.door.turns] == [f"{CALL}.menu.4"] * 2

    virtually(scene())


def test_a_token_opens_one_socket() -> None:
    async def scene() -> None:
        async with a_house() as house:
            token = token_of((await post(house, "/twilio/voice")).text)
            await house.connect(f"wss://x/twilio/media/{token}", {})
            with pytest.raises(ConnectionRefusedError):
                await house.connect(f"wss://x/twilio/media/{token}", {})
            with pytest.raises(ConnectionRefusedError):
                await house.connect(f"wss://x/twilio/media/{token[:-2]}", {})
            assert house.refused == ["used before", "bad signature"]

    virtually(scene())


def test_a_call_that_is_over_gives_its_share_back() -> None:
    async def scene() -> None:
        async with a_house() as house:
            await post(house, "/twilio/voice")
            assert house.speech.calls
            answer = await post(house, "/twilio/status/voice", {**FORM, "CallStatus": "completed"})
            assert answer.status_code == 204 and not house.speech.calls

    virtually(scene())


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_fallback_is_said_to_everybody_and_ends_with_a_person(method: str) -> None:
    async def scene() -> None:
        async with a_house() as house:
            house.redis.dead = True
            answer = await house.http.request(method, "/twilio/voice/fallback")
            root = ElementTree.fromstring(answer.text)
            assert [child.tag for child in root] == ["Say", "Dial", "Say"]
            assert "nine one one" in (root[0].text or "") and root[1][0].text == "+15555550100"

    virtually(scene())


def test_whatever_breaks_in_a_webhook_the_caller_hears_the_fallback() -> None:
    async def scene() -> None:
        async with a_house() as house:

            async def broken(*_: object) -> str:
                raise RuntimeError("broken")

            house.telephone.admission.ask = broken  # type: ignore[method-assign]
            answer = await post(house, "/twilio/voice")
            assert answer.status_code == 200 and "<Dial" in answer.text

    virtually(scene())


def test_a_withheld_number_is_nobody() -> None:
    async def scene() -> None:
        async with a_house() as house:
            await post(house, "/twilio/voice", {**FORM, "From": "anonymous"})
            record = await house.telephone.parts.records.find(CALL)
            assert record is not None and record.phone == ""

    virtually(scene())


def test_the_transfer_number_is_the_settings_or_else_the_utilitys() -> None:
    async def scene() -> None:
        async with a_house(voice_transfer_number="+15555550123") as house:
            assert "+15555550123" in (await house.http.get("/twilio/voice/fallback")).text

    virtually(scene())


def test_after_a_stream_of_an_unknown_call_it_begins_anew() -> None:
    async def scene() -> None:
        async with a_house() as house:
            answer = await post(house, "/twilio/voice/next")
            assert "<Stream" in answer.text

    virtually(scene())
