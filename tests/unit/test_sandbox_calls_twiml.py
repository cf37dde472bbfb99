"""The simulated carrier reads TwiML as strictly as it can be read."""

from __future__ import annotations

import pytest

from integrations.sandbox.calls import twiml, verbs

pytestmark = pytest.mark.unit
HERE = "https://porchlight.example.com/twilio/voice"


def read(inner: str) -> verbs.Verb:
    (verb,) = twiml.parse(f"<Response>{inner}</Response>", HERE).verbs
    return verb


def test_a_stream_is_read_with_its_parameters_and_without_its_query() -> None:
    verb = read(
        '<Connect action="/after"><Stream url="wss://porchlight.example.com/twilio/media/abc?token=lost" name="n">'
        '<Parameter name="resume" value="1"/><Parameter name="empty" value=""/></Stream></Connect>'
    )
    assert verb == verbs.Connect(
        "wss://porchlight.example.com/twilio/media/abc", "n", (("resume", "1"), ("empty", "")),
        action="https://porchlight.example.com/after",
    )  # fmt: skip


def test_a_gather_without_an_action_asks_its_own_document_again() -> None:
    verb = read('<Gather numDigits="1" timeout="3" finishOnKey=""><Say>Press <emphasis>1</emphasis></Say></Gather>')
    assert isinstance(verb, verbs.Gather)
    assert (verb.action, verb.most, verb.timeout, verb.finish_on) == (HERE, 1, 3.0, "")
    assert verb.prompts == (verbs.Say("Press 1"),)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("not xml", 12100), ("<Response><Say>x</Response>", 12100), ("", 12100), ("<Answer/>", 12200),
        ('<!DOCTYPE r [<!ENTITY a "b">]><Response><Say>&a;</Say></Response>', 12100),
        ("<Response><Sing>la</Sing></Response>", 12200), ('<Response><Say pitch="1">x</Say></Response>', 12200),
        ("<Response><Say/></Response>", 13520), ("<Response><Dial/></Response>", 13224),
        ('<Response><Gather numDigits="0"/></Response>', 13314), ('<Response><Pause length="-1"/></Response>', 12200),
        ('<Response><Gather finishOnKey="##"/></Response>', 13314),
        ("<Response><Gather><Hangup/></Gather></Response>", 12200),
        ('<Response><Connect><Stream url="https://porchlight.example.com/x"/></Connect></Response>', 31921),
        ('<Response><Connect><Stream url="ws://porchlight.example.com/x"/></Connect></Response>', 31921),
        (f'<Response><Connect><Stream url="wss://a.example/x"><Parameter name="n" value="{"v" * 500}"/></Stream>'
         "</Connect></Response>", 12200),
        (f"<Response><Say>{'x' * 70_000}</Say></Response>", 11750),
    ],
)  # fmt: skip
def test_what_twilio_would_not_follow_is_an_error_with_its_code(text: str, code: int) -> None:
    with pytest.raises(twiml.TwimlError) as caught:
        twiml.parse(text, HERE)
    assert caught.value.code == code
