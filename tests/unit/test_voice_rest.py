"""Changing a live call by Twilio's REST API: retries, refusals, a call that is over; and media sockets' tokens."""

from __future__ import annotations

from urllib.parse import parse_qs

import httpx
import pytest

from bot.identity import tokens as tokens_module
from bot.identity.tokens import TokenRejected, Tokens
from integrations.twilio.calls import TwilioCalls
from integrations.twilio.errors import CallOver, TwilioCredentials, TwilioRejected, TwilioUnavailable

pytestmark = pytest.mark.unit


class Twilio:
    def __init__(self, *answers: int | Exception, code: int = 0) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []
        self.code = code
        self.waits: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer, json={"code": self.code})

    def calls(self) -> TwilioCalls:
        async def sleep(seconds: float) -> None:
            self.waits.append(seconds)

        http = httpx.AsyncClient(transport=httpx.MockTransport(self))
        return TwilioCalls("AC1", "token", http=http, sleep=sleep)


async def test_a_document_is_given_to_the_call_at_twilios_own_address() -> None:
    twilio = Twilio(200)
    await twilio.calls().direct("CA1", "<Response/>")
    (request,) = twilio.asked
    assert str(request.url) == "https://api.twilio.com/2010-04-01/Accounts/AC1/Calls/CA1.json"
    assert parse_qs(request.content.decode()) == {"Twiml": ["<Response/>"]}
    assert request.headers["authorization"].startswith("Basic ")


async def test_a_call_is_ended_by_its_status() -> None:
    twilio = Twilio(200)
    await twilio.calls().hang_up("CA1")
    assert parse_qs(twilio.asked[0].content.decode()) == {"Status": ["completed"]}


@pytest.mark.parametrize("trouble", [500, 503, 429, httpx.ConnectError("no"), httpx.ReadTimeout("late")])
async def test_trouble_is_tried_again_with_growing_pauses(trouble: int | Exception) -> None:
    twilio = Twilio(trouble, trouble, 200)
    await twilio.calls().direct("CA1", "<Response/>")
    assert len(twilio.asked) == 3 and twilio.waits[0] < twilio.waits[1] < 1.0


async def test_trouble_that_lasts_is_told() -> None:
    with pytest.raises(TwilioUnavailable):
        await Twilio(500, 500, 500).calls().direct("CA1", "<Response/>")


@pytest.mark.parametrize("status, code, error", [
    (404, 20404, CallOver), (400, 21220, CallOver), (401, 20003, TwilioCredentials), (400, 12100, TwilioRejected),
])  # fmt: skip
async def test_a_refusal_is_final_and_says_which(status: int, code: int, error: type[Exception]) -> None:
    twilio = Twilio(status, code=code)
    with pytest.raises(error):
        await twilio.calls().direct("CA1", "<Response/>")
    assert len(twilio.asked) == 1


async def test_a_document_that_twilio_would_refuse_is_not_sent() -> None:
    with pytest.raises(ValueError):
        await Twilio().calls().direct("CA1", "x" * 4_001)


def test_a_media_token_vouches_for_one_call_and_is_never_the_same() -> None:
    tokens = Tokens("secret")
    first, second = tokens.read_media(tokens.sign_media("CA1")), tokens.read_media(tokens.sign_media("CA1"))
    assert first.call_sid == "CA1" and first.nonce != second.nonce


def test_a_media_token_of_another_secret_kind_or_time_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = Tokens("secret")
    session = tokens.sign_session(tokens.new_session())
    for token in ("", "x", "x" * 5_000, Tokens("other").sign_media("CA1"), session):
        with pytest.raises(TokenRejected):
            tokens.read_media(token)
    token = tokens.sign_media("CA1")
    monkeypatch.setattr(tokens_module, "MEDIA_SECONDS", -1)
    with pytest.raises(TokenRejected):
        tokens.read_media(token)
    with pytest.raises(TokenRejected):
        tokens.read_session(token)
