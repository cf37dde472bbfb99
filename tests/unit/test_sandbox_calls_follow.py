"""A simulated call does what the application's documents say, in virtual time."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from twilio.request_validator import RequestValidator

from integrations.sandbox.calls import twiml
from integrations.sandbox.calls.carrier import SORRY, Carrier, NotInProgress
from integrations.sandbox.calls.follow import Answered
from integrations.sandbox.calls.hooks import Number
from integrations.sandbox.calls.phones import LocalPhone
from tests.fakes.calls import ACCOUNT, PUBLIC, ROSA, STREAM, Application, Line, carrier_of, opened, say, until
from tests.fakes.virtual_time import virtually

pytestmark = pytest.mark.unit
VOICE = "/twilio/voice"


async def whole(application: Application, **more: Any) -> tuple[Carrier, LocalPhone, Any]:
    """A call from beginning to end, by a caller who only listens."""
    async with carrier_of(application, **more) as (carrier, phone):
        call = carrier.place(ROSA, phone)
        await carrier.ended(call)
        return carrier, phone, call


def test_the_webhook_gets_twilios_fields_blank_ones_too_and_a_signature_that_covers_them() -> None:
    application = Application({VOICE: say("Hello")})
    _, _, call = virtually(whole(application))
    ((path, form, signature),) = application.asked
    assert path == VOICE and form["FromCity"] == "" and form["CallStatus"] == "ringing"
    assert (form["From"], form["To"], form["CallSid"]) == (ROSA, ACCOUNT.number, call.sid)
    assert RequestValidator(ACCOUNT.token).validate(PUBLIC + VOICE, form, signature)
    assert [event.detail["text"] for event in call.timeline.named("say")] == ["Hello"]
    assert call.status == "completed"


def test_redirects_pauses_and_the_end_of_a_document_take_their_time() -> None:
    pages = {
        VOICE: "<Response><Pause length='3'/><Redirect>next?a=b</Redirect><Say>never</Say></Response>",
        "/twilio/next": say("one two three four five six seven eight nine"),
    }
    _, _, call = virtually(whole(Application(pages)))
    assert [event.detail["text"] for event in call.timeline.named("say")] == [
        "one two three four five six seven eight nine"
    ]
    assert call.timeline.events[-1].at == pytest.approx(3 + 9 / 2.7, abs=0.01)


@pytest.mark.parametrize(("reason", "status"), [("busy", "busy"), ("rejected", "no-answer")])
def test_a_rejected_call_is_never_answered(reason: str, status: str) -> None:
    application = Application({VOICE: f'<Response><Reject reason="{reason}"/></Response>'})
    _, _, call = virtually(whole(application))
    assert (call.status, call.answered) == (status, None)


def test_a_connection_that_fails_is_tried_twice_then_the_fallback_is_asked_and_told_why() -> None:
    application = Application({VOICE: httpx.ConnectError("refused"), "/fallback": say("Call later")})
    number = Number(f"{PUBLIC}{VOICE}", fallback=f"{PUBLIC}/fallback", public=PUBLIC, local="http://application.test")
    _, _, call = virtually(whole(application, number=number))
    assert [path for path, _, _ in application.asked] == [VOICE, VOICE, "/fallback"]
    first, second = application.headers[0], application.headers[1]
    assert first["I-Twilio-Idempotency-Token"] == second["I-Twilio-Idempotency-Token"]
    assert application.forms("/fallback")[0]["ErrorCode"] == "11205"
    assert application.forms("/fallback")[0]["ErrorUrl"] == PUBLIC + VOICE
    assert call.timeline.named("say")[0].detail["text"] == "Call later"


@pytest.mark.parametrize(
    ("page", "code"),
    [
        (500, 11200), (404, 11200), ("<Response><Sing/></Response>", 12200), ("oops", 12100),
        (httpx.Response(200, text="<Response/>", headers={"content-type": "text/html"}), 12300),
        (httpx.ReadTimeout("slow"), 11205),
    ],
)  # fmt: skip
def test_an_application_that_fails_is_apologised_for_as_twilio_does(page: Any, code: int) -> None:
    _, _, call = virtually(whole(Application({VOICE: page})))
    assert (call.error, call.timeline.named("say")[0].detail["text"]) == (code, SORRY)
    assert call.status == "completed"


GATHER = (
    '<Response><Gather action="/menu" timeout="4" {more}><Say>Press one for outages or two for billing please</Say>'
    "</Gather><Say>We heard nothing</Say></Response>"
)


async def pressing(application: Application, keys: list[tuple[float, str]]) -> Any:
    async with carrier_of(application) as (carrier, phone):
        call = carrier.place(ROSA, phone)
        await until(lambda: call.doing.verb == "gather")
        for pause, key in keys:
            await asyncio.sleep(pause)
            phone.call = call
            phone.press(key)
        await carrier.ended(call)
        return call


@pytest.mark.parametrize(
    ("more", "keys", "digits"),
    [
        ("", [(1.0, "1"), (1.0, "2"), (3.9, "3")], "123"), ("", [(0.5, "4"), (0.5, "2#9")], "42"),
        ('numDigits="1"', [(0.5, "1"), (0.1, "2")], "1"), ('finishOnKey="*"', [(1, "7#*")], "7#"),
        ('finishOnKey=""', [(1, "7#*")], "7#*"), ('timeout="9" actionOnEmptyResult="true"', [], ""),
        ('actionOnEmptyResult="true"', [(1, "#")], ""),
    ],
)  # fmt: skip
def test_gathered_keys_go_to_the_action(more: str, keys: list[tuple[float, str]], digits: str) -> None:
    document = GATHER.replace('timeout="4" ', "") if "timeout" in more else GATHER
    application = Application({VOICE: document.format(more=more), "/menu": say("Thank you")})
    virtually(pressing(application, keys))
    assert [form["Digits"] for form in application.forms("/menu")] == [digits]


@pytest.mark.parametrize("keys", [[], [(1.0, "#")]])
def test_no_keys_fall_through_to_the_next_verb(keys: list[tuple[float, str]]) -> None:
    application = Application({VOICE: GATHER.format(more=""), "/menu": say("Thank you")})
    call = virtually(pressing(application, keys))
    assert application.forms("/menu") == []
    assert call.timeline.named("say")[-1].detail["text"] == "We heard nothing"


@pytest.mark.parametrize(
    ("outcome", "status", "lasted"),
    [
        (Answered("completed", 2, 30), "completed", 32), (Answered("busy", 2), "busy", 2),
        (Answered("no-answer", 20), "no-answer", 15), (Answered("completed", 60, 5), "no-answer", 15),
    ],
)  # fmt: skip
def test_a_dialled_number_answers_or_not_and_the_action_is_told(outcome: Answered, status: str, lasted: int) -> None:
    async def scenario() -> Any:
        pages = {
            VOICE: '<Response><Dial action="/after" timeout="15">555-555-0100</Dial></Response>',
            "/after": say("Hm"),
        }
        application = Application(pages)
        async with carrier_of(application) as (carrier, phone):
            call = carrier.place(ROSA, phone, lambda number: outcome)
            await carrier.ended(call)
        return application, call

    application, call = virtually(scenario())
    (form,) = application.forms("/after")
    assert form["DialCallStatus"] == status
    assert call.timeline.named("dialled")[0].at == pytest.approx(lasted, abs=0.01)


@pytest.mark.parametrize("where", ["ringing", "say", "gather", "stream", "dial"])
def test_a_caller_can_hang_up_at_any_moment_and_the_status_callback_is_told(where: str) -> None:
    async def silent(line: Line) -> None:
        while await line.next() is not None:
            pass

    documents = {
        "ringing": say("x"), "say": say("a long story " * 20), "gather": "<Response><Gather/></Response>",
        "stream": STREAM, "dial": "<Response><Dial>555-555-0100</Dial></Response>",
    }  # fmt: skip

    async def scenario() -> Any:
        application = Application({VOICE: documents[where], "/status": 204}, silent)
        number = Number(f"{PUBLIC}{VOICE}", status=f"{PUBLIC}/status", public=PUBLIC, local="http://application.test")
        async with carrier_of(application, number) as (carrier, phone):
            call = carrier.place(ROSA, phone)
            await until(lambda: call.doing.verb == where)
            await carrier.hang_up(call)
            await carrier.ended(call)
        return application, call

    application, call = virtually(scenario())
    assert call.status == ("canceled" if where == "ringing" else "completed")
    (told,) = application.forms("/status")
    assert told["CallStatus"] == call.status and told["CallSid"] == call.sid
    if where == "stream":
        (line,) = application.lines
        assert line.got[-1]["event"] == "stop"


def test_an_update_ends_the_stream_with_a_stop_and_the_new_document_is_followed() -> None:
    async def scenario() -> Any:
        async def talk(line: Line) -> None:
            while await line.next() is not None:
                pass

        application = Application({VOICE: STREAM, "/after": say("Back again")}, talk)
        async with carrier_of(application) as (carrier, phone):
            call = carrier.place(ROSA, phone, lambda number: Answered("busy", 1))
            await opened(phone)
            transfer = '<Response><Dial action="/after">555-555-0100</Dial></Response>'
            await carrier.direct(call, twiml.parse(transfer, PUBLIC))
            await carrier.ended(call)
            with pytest.raises(NotInProgress):
                await carrier.direct(call, twiml.parse(say("x"), PUBLIC))
        return application, call

    application, call = virtually(scenario())
    assert application.lines[0].got[-1]["event"] == "stop"
    assert [event.detail["number"] for event in call.timeline.named("dial")] == ["555-555-0100"]
    assert call.timeline.named("say")[-1].detail["text"] == "Back again"


def test_a_document_that_redirects_to_itself_does_not_go_on_for_ever() -> None:
    _, _, call = virtually(whole(Application({VOICE: "<Response><Redirect>/twilio/voice</Redirect></Response>"})))
    assert not call.is_live
