from __future__ import annotations

import pytest
from itsdangerous import URLSafeTimedSerializer

from bot.identity.tokens import TokenRejected, Tokens

pytestmark = pytest.mark.unit


def test_a_session_is_read_back_and_two_are_never_the_same() -> None:
    tokens = Tokens("secret")
    one, two = tokens.new_session(), tokens.new_session("+12075550101")
    assert tokens.read_session(tokens.sign_session(two)) == two
    assert one.conversation_id != two.conversation_id


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "x" * 5_000, "é", "\u0000"])
def test_what_we_did_not_sign_is_refused(token: str) -> None:
    with pytest.raises(TokenRejected):
        Tokens("secret").read_session(token)
    with pytest.raises(TokenRejected):
        Tokens("secret").read_customer(token)


def test_a_token_of_another_secret_or_purpose_is_refused() -> None:
    tokens = Tokens("secret")
    with pytest.raises(TokenRejected):
        tokens.read_session(Tokens("other").sign_session(tokens.new_session()))
    with pytest.raises(TokenRejected):
        tokens.read_customer(tokens.sign_session(tokens.new_session("+12075550101")))
    with pytest.raises(TokenRejected):
        tokens.read_session(tokens.sign_customer("+12075550101"))


def test_a_session_for_a_conversation_of_another_channel_is_refused() -> None:
    forged = URLSafeTimedSerializer("secret", salt="porchlight.session").dumps({"c": "sms-abc", "p": None})
    with pytest.raises(TokenRejected):
        Tokens("secret").read_session(str(forged))


def test_a_customer_s_token_is_short_lived(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    tokens = Tokens("secret")
    token = tokens.sign_customer("207-555-0101")
    assert tokens.read_customer(token) == "+12075550101"
    later = time.time() + 700
    monkeypatch.setattr(time, "time", lambda: later)
    with pytest.raises(TokenRejected):
        tokens.read_customer(token)


def test_a_customer_without_a_telephone_number_gets_no_token() -> None:
    with pytest.raises(ValueError):
        Tokens("secret").sign_customer("nobody")
