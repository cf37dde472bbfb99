"""Twilio's media messages and mu-law: what is read, what is refused, what is written."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.carrier import STREAM, start_message
from voice import media, mulaw

pytestmark = pytest.mark.unit


def test_every_sample_comes_back_within_the_step_of_its_size() -> None:
    samples = np.arange(-32_768, 32_768, dtype=np.int16)
    back = mulaw.decode(mulaw.encode(samples)).astype(int)
    assert (np.abs(back - samples) <= np.maximum(np.abs(samples.astype(int)) / 16, 8) + 132).all()
    assert (np.sign(back) * np.sign(samples) >= 0).all()


def test_every_byte_comes_back_as_itself_but_the_second_zero() -> None:
    data = bytes(range(256))
    again = mulaw.encode(mulaw.decode(data))
    assert [one for one in range(256) if again[one] != one] == [0x7F]
    assert mulaw.encode(np.zeros(1, np.int16)) == bytes([mulaw.SILENCE])


def test_known_values_of_g711() -> None:
    assert mulaw.decode(bytes([0x00, 0x80, 0xFF, 0x7F])).tolist() == [-32_124, 32_124, 0, 0]


def test_a_start_is_read_with_its_format_and_parameters() -> None:
    message = media.read(json.dumps(start_message(resume="nobody")))
    assert isinstance(message, media.Start)
    assert message.start.media_format.is_ours
    assert message.start.custom_parameters == {"resume": "nobody"}


@pytest.mark.parametrize("encoding, rate", [("audio/opus", 8_000), ("audio/x-mulaw", 16_000), ("audio/x-alaw", 8_000)])
def test_another_format_is_told(encoding: str, rate: int) -> None:
    message = media.read(json.dumps(start_message(encoding=encoding, rate=rate)))
    assert isinstance(message, media.Start) and not message.start.media_format.is_ours


def test_an_event_that_twilio_adds_one_day_is_passed_over() -> None:
    assert media.read('{"event":"weather","weather":{}}') is None


@pytest.mark.parametrize("text", ["", "{", "[]", "1", '{"event":"start"}', "{}", '{"event":"dtmf"}'])
def test_garbage_is_refused_with_a_constant_reason(text: str) -> None:
    with pytest.raises(media.BadMessage) as refused:
        media.read(text)
    assert str(refused.value) in ("json", "fields")


def test_a_message_of_megabytes_is_not_even_parsed() -> None:
    with pytest.raises(media.BadMessage, match="too long"):
        media.read('{"event":"media","media":{"payload":"' + "A" * 1_000_000 + '"}}')


@given(st.text(max_size=200))
def test_whatever_comes_is_a_message_an_unknown_event_or_refused(text: str) -> None:
    try:
        media.read(text)
    except media.BadMessage:
        pass


def test_a_payload_that_is_no_base64_is_refused() -> None:
    message = media.read('{"event":"media","media":{"payload":"ab cd"}}')
    assert isinstance(message, media.MediaIn)
    with pytest.raises(media.BadMessage):
        message.media.samples()


def test_what_we_send_is_twilios_json() -> None:
    frame = json.loads(media.media(STREAM, np.zeros(160, np.int16)))
    assert frame["event"] == "media" and frame["streamSid"] == STREAM
    assert base64.b64decode(frame["media"]["payload"]) == b"\xff" * 160
    assert json.loads(media.mark(STREAM, "a")) == {"event": "mark", "streamSid": STREAM, "mark": {"name": "a"}}
    assert json.loads(media.clear(STREAM)) == {"event": "clear", "streamSid": STREAM}
