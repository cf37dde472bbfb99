"""The simulated media stream behaves as Twilio documents it, in virtual time."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from integrations.sandbox.calls import mulaw, sound
from integrations.sandbox.calls.call import Call
from integrations.sandbox.calls.carrier import Carrier
from integrations.sandbox.calls.phones import LocalPhone
from tests.fakes.calls import PUBLIC, ROSA, STREAM, Application, Line, carrier_of, opened, say, until
from tests.fakes.virtual_time import virtually

pytestmark = pytest.mark.unit
VOICE = "/twilio/voice"
Caller = Callable[[Carrier, LocalPhone, Call], Awaitable[None]]


def played(
    talk: Callable[[Line], Awaitable[None]] | None, caller: Caller, document: str = STREAM, **pages: str
) -> tuple[Application, LocalPhone, Call]:
    """A call in which an application talks and a caller does something, to its end."""

    async def scenario() -> tuple[Application, LocalPhone, Call]:
        application = Application({VOICE: document, **{f"/{name}": page for name, page in pages.items()}}, talk)
        async with carrier_of(application) as (carrier, phone):
            call = carrier.place(ROSA, phone)
            await caller(carrier, phone, call)
            await carrier.ended(call)
        return application, phone, call

    return virtually(scenario())


def after(seconds: float) -> Caller:
    async def hang_up(carrier: Carrier, phone: LocalPhone, call: Call) -> None:
        await asyncio.sleep(seconds)
        await carrier.hang_up(call)

    return hang_up


async def listen(line: Line) -> None:
    while await line.next() is not None:
        pass


def kinds(line: Line) -> list[str]:
    return [message["event"] for message in line.got]


def test_a_stream_opens_with_connected_and_start_and_carries_fifty_frames_a_second() -> None:
    document = STREAM.replace("/></Connect>", '><Parameter name="resume" value="yes"/></Stream></Connect>')
    application, _, call = played(listen, after(2.0), document)
    (line,) = application.lines
    assert kinds(line)[:3] == ["connected", "start", "media"] and kinds(line)[-1] == "stop"
    start = line.got[1]["start"]
    assert start["mediaFormat"] == {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
    assert (start["callSid"], start["customParameters"], start["tracks"]) == (call.sid, {"resume": "yes"}, ["inbound"])
    frames = [message for message in line.got if message["event"] == "media"]
    assert 98 <= len(frames) <= 100
    assert {len(base64.b64decode(frame["media"]["payload"])) for frame in frames} == {160}
    assert [frame["media"]["chunk"] for frame in frames] == [str(number + 1) for number in range(len(frames))]
    assert [frame["media"]["timestamp"] for frame in frames[:3]] == ["20", "40", "60"]
    assert [message["sequenceNumber"] for message in line.got[1:]] == [str(n + 1) for n in range(len(line.got) - 1)]


def test_the_socket_is_opened_where_the_public_address_is_served_and_its_request_is_signed() -> None:
    application, _, _ = played(listen, after(0.1))
    ((url, headers),) = application.opened
    assert url == f"{PUBLIC.replace('https', 'wss')}/twilio/media/t" and headers["X-Twilio-Signature"]


def test_what_the_caller_says_arrives_sample_for_sample() -> None:
    words = sound.tone(500, 0.5)

    async def caller(carrier: Carrier, phone: LocalPhone, call: Call) -> None:
        await opened(phone)
        await phone.say(words).done.wait()
        await carrier.hang_up(call)

    application, _, _ = played(listen, caller)
    frames = [message for message in application.lines[0].got if message["event"] == "media"]
    heard = b"".join(base64.b64decode(frame["media"]["payload"]) for frame in frames)
    assert mulaw.encode(words) in heard


def test_sound_sent_at_once_is_played_at_real_pace_and_its_mark_comes_when_it_has_been() -> None:
    marks: list[float] = []

    async def talk(line: Line) -> None:
        sid = (await line.until("start"))["streamSid"]
        loop = asyncio.get_running_loop()
        began = loop.time()
        line.play(sid, 3.0)
        line.mark(sid, "greeting")
        assert (await line.until("mark"))["mark"] == {"name": "greeting"}
        marks.append(loop.time() - began)
        await listen(line)

    _, phone, _ = played(talk, after(5.0))
    assert marks[0] == pytest.approx(3.0, abs=0.05)
    assert phone.recording.samples().shape[0] == pytest.approx(5.0 * 8_000, abs=400)


def test_clear_silences_at_once_and_gives_the_marks_back() -> None:
    marks: list[float] = []

    async def talk(line: Line) -> None:
        sid = (await line.until("start"))["streamSid"]
        loop = asyncio.get_running_loop()
        line.play(sid, 30.0)
        line.mark(sid, "a")
        line.mark(sid, "b")
        await asyncio.sleep(1.0)
        began = loop.time()
        line.clear(sid)
        assert [(await line.until("mark"))["mark"]["name"] for _ in "ab"] == ["a", "b"]
        marks.append(loop.time() - began)
        await listen(line)

    _, phone, call = played(talk, after(3.0))
    assert marks[0] < 0.021
    assert call.timeline.named("clear")[0].detail["seconds"] == pytest.approx(29.0, abs=0.05)
    right = phone.recording.samples()[:, 1]
    assert not right[round(1.1 * 8_000) :].any() and right[:7_000].any()


def test_keys_are_messages_in_their_place_among_the_frames() -> None:
    async def caller(carrier: Carrier, phone: LocalPhone, call: Call) -> None:
        await opened(phone)
        phone.press("12#")
        await asyncio.sleep(0.2)
        await carrier.hang_up(call)

    application, _, _ = played(listen, caller)
    digits = [message["dtmf"]["digit"] for message in application.lines[0].got if message["event"] == "dtmf"]
    assert digits == ["1", "2", "#"]


def test_when_the_application_closes_the_socket_the_call_goes_on_with_the_action() -> None:
    async def talk(line: Line) -> None:
        await line.until("start")
        line.hang_up()

    async def nothing(carrier: Carrier, phone: LocalPhone, call: Call) -> None:
        return

    document = STREAM.replace("<Connect>", '<Connect action="/after">')
    _, _, call = played(talk, nothing, document, after=say("Goodbye"))
    assert call.timeline.named("say")[-1].detail["text"] == "Goodbye"


def test_a_dropped_socket_gets_no_stop_and_can_be_reopened_by_the_action() -> None:
    async def caller(carrier: Carrier, phone: LocalPhone, call: Call) -> None:
        await opened(phone)
        assert phone.media is not None
        phone.media.drop()
        await until(lambda: phone.streams == 2)
        await opened(phone)
        await carrier.hang_up(call)

    document = STREAM.replace("<Connect>", '<Connect action="/again">')
    application, _, _ = played(listen, caller, document, again=STREAM)
    first, second = application.lines
    assert first.aborted and "stop" not in kinds(first)
    assert second.got[0]["event"] == "connected" and kinds(second)[-1] == "stop"
    sids = {line.got[1]["streamSid"] for line in (first, second)}
    calls = {line.got[1]["start"]["callSid"] for line in (first, second)}
    assert (len(sids), len(calls)) == (2, 1)


@pytest.mark.parametrize("broken", ["refused", "nonsense"])
def test_a_stream_that_fails_is_an_error_and_the_call_goes_on(broken: str) -> None:
    async def talk(line: Line) -> None:
        await line.until("start")
        line.to_carrier.put_nowait("nonsense")
        await listen(line)

    async def nothing(carrier: Carrier, phone: LocalPhone, call: Call) -> None:
        return

    document = STREAM.replace("</Response>", "<Say>Please call 555-555-0100</Say></Response>")
    _, _, call = played(None if broken == "refused" else talk, nothing, document)
    assert call.error == (31920 if broken == "refused" else 31951)
    assert call.timeline.named("say")[-1].detail["text"] == "Please call 555-555-0100"


def test_a_caller_can_wait_until_the_application_has_finished_speaking() -> None:
    times: list[Any] = []

    async def talk(line: Line) -> None:
        sid = (await line.until("start"))["streamSid"]
        await asyncio.sleep(0.5)
        line.play(sid, 1.0)
        await listen(line)

    async def caller(carrier: Carrier, phone: LocalPhone, call: Call) -> None:
        await opened(phone)
        times.append(await phone.until_quiet(0.0, quiet=0.8))
        times.append(call.timeline.now())
        times.append(await phone.until_quiet(call.timeline.now(), most=2.0))
        await carrier.hang_up(call)

    played(talk, caller)
    assert times[0] is True and times[1] == pytest.approx(2.3, abs=0.1) and times[2] is False


def test_two_minutes_of_silence_drift_by_nothing() -> None:
    application, _, _ = played(listen, after(120.0))
    frames = [message for message in application.lines[0].got if message["event"] == "media"]
    assert len(frames) == pytest.approx(6_000, abs=2)
