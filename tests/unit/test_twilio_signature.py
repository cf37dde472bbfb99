"""X-Twilio-Signature, held against Twilio's own library."""

from __future__ import annotations

import hashlib
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from integrations.twilio.signature import valid_signature

pytestmark = pytest.mark.unit

TOKEN = "a-token-of-the-account"
URL = "https://bot.example.com/twilio/sms?channel=sms"
FORM = {
    "MessageSid": "SM1",
    "From": "+12075550101",
    "Body": "",
    "NumMedia": "1",
    "MediaUrl0": "https://example.com/a?b=c&d",
}


def sign(url: str, form: dict[str, str] | None = None, token: str = TOKEN) -> str:
    return str(RequestValidator(token).compute_signature(url, form or {}))


def test_a_request_of_twilios_is_valid_with_its_blank_fields() -> None:
    assert valid_signature(URL, urlencode(FORM).encode(), sign(URL, FORM), TOKEN)


def test_a_blank_field_that_was_dropped_makes_it_invalid() -> None:
    without = {name: value for name, value in FORM.items() if value}
    assert not valid_signature(URL, urlencode(without).encode(), sign(URL, FORM), TOKEN)


@pytest.mark.parametrize("changed", [{"Body": "OUT"}, {"From": "+12075550102"}, {"Extra": ""}])
def test_a_changed_field_is_noticed(changed: dict[str, str]) -> None:
    assert not valid_signature(URL, urlencode(FORM | changed).encode(), sign(URL, FORM), TOKEN)


def test_another_address_or_token_is_noticed() -> None:
    body = urlencode(FORM).encode()
    assert not valid_signature(URL.replace("bot.", "bad."), body, sign(URL, FORM), TOKEN)
    assert not valid_signature(URL, body, sign(URL, FORM, "another"), TOKEN)
    assert not valid_signature(URL, body, sign(URL, FORM), "")
    assert not valid_signature(URL, body, "", TOKEN)


@pytest.mark.parametrize(
    ("called", "configured"),
    [
        ("https://bot.example.com:443/twilio/sms", "https://bot.example.com/twilio/sms"),
        ("https://bot.example.com/twilio/sms", "https://bot.example.com:443/twilio/sms"),
        ("http://localhost:8080/twilio/sms", "http://localhost:8080/twilio/sms"),
        ("https://bot.example.com/twilio/sms", "https://bot.example.com:8443/twilio/sms"),
        ("wss://bot.example.com:443/media/abc", "wss://bot.example.com/media/abc"),
    ],
)
def test_the_port_may_be_signed_or_not(called: str, configured: str) -> None:
    assert valid_signature(configured, urlencode(FORM).encode(), sign(called, FORM), TOKEN)


def test_repeated_names_are_signed_as_twilios_library_does() -> None:
    class Form(dict[str, list[str]]):
        def getlist(self, name: str) -> list[str]:
            return self[name]

    signed = RequestValidator(TOKEN).compute_signature(URL, Form(A=["2", "1", "2"], B=[""]))
    assert valid_signature(URL, b"A=2&A=1&A=2&B=", signed, TOKEN)


def test_a_json_body_is_checked_by_its_hash() -> None:
    body = b'{"a": 1}'
    url = f"{URL}&bodySHA256={hashlib.sha256(body).hexdigest()}"
    assert valid_signature(url, body, sign(url), TOKEN)
    assert not valid_signature(url, body + b" ", sign(url), TOKEN)


@pytest.mark.parametrize("header", ["ü", "=", "x" * 10_000, "\x00"])
@pytest.mark.parametrize("body", [b"\xff\xfe=1", b"%ff=%00", b"&&==&", b"a=1&" * 5000])
def test_odd_bytes_and_headers_are_merely_invalid(header: str, body: bytes) -> None:
    assert not valid_signature(URL, body, header, TOKEN)
    assert not valid_signature("https://host:notaport/", body, header, TOKEN)


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=30), max_size=6))
def test_whatever_twilio_can_sign_is_valid(form: dict[str, str]) -> None:
    body = urlencode(form).encode()
    assert valid_signature(URL, body, sign(URL, form), TOKEN)
