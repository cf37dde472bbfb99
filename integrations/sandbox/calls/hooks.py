"""Twilio's requests to the application: signed, repeated, and sent to the fallback address when the first one fails."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import httpx

from ..twilio_api import Account
from . import twiml
from .timeline import Timeline
from .verbs import Document

TOTAL_SECONDS = 15.0
CONNECT_SECONDS = 5.0
CONNECT_ATTEMPTS = 2
"""Two attempts of 5 s to connect, 15 s in all (https://www.twilio.com/docs/api/errors/11205)."""
_XML = ("text/xml", "application/xml")


class HookFailed(RuntimeError):
    """No document came, neither from the address nor from its fallback.

    Attributes:
        code: Twilio's: 11200 an error status, 11205 no connection or no answer, or the document's own fault.
    """

    def __init__(self, code: int, url: str) -> None:
        super().__init__(f"error {code}")
        self.code = code
        self.url = url


@dataclass(frozen=True, slots=True)
class Number:
    """How our number is configured at Twilio.

    Attributes:
        voice: the webhook of incoming calls, as Twilio knows it (PUBLIC_URL); signatures cover this address.
        fallback: asked when the other one fails; empty: none.
        status: told when a call has ended; empty: nobody.
        public: the beginning of public addresses ...
        local: ... and where they are really served.
    """

    voice: str
    fallback: str = ""
    status: str = ""
    public: str = ""
    local: str = ""

    def reach(self, url: str) -> str:
        """Where a public address is served here, for http and for WebSockets."""
        for scheme in ("http", "ws"):
            public, local = self.public.replace("http", scheme, 1), self.local.replace("http", scheme, 1)
            if public and url.startswith(public + "/"):
                return local + url[len(public) :]
        return url


@dataclass(frozen=True, slots=True)
class Answer:
    """What a webhook said."""

    status: int
    kind: str
    text: str


class Hooks:
    """Asks the application.

    Args:
        account: whose token signs.
        number: addresses.
        http: shared.
    """

    def __init__(self, account: Account, number: Number, http: httpx.AsyncClient) -> None:
        self._account = account
        self._number = number
        self._http = http

    async def document(
        self, url: str, method: str, fields: Mapping[str, str], timeline: Timeline, fallback: str | None = None
    ) -> Document:
        """Ask for TwiML.

        Args:
            url: public.
            method: GET or POST.
            fields: of the call, blank ones included.
            timeline: of the call.
            fallback: instead of the number's.

        Raises:
            HookFailed: neither the address nor its fallback gave a document.
        """
        try:
            return await self._document(url, method, fields, timeline)
        except HookFailed as failure:
            second = self._number.fallback if fallback is None else fallback
            if not second:
                raise
            more = {"ErrorCode": str(failure.code), "ErrorUrl": url}
            return await self._document(second, "POST", {**fields, **more}, timeline)

    async def tell(self, url: str, fields: Mapping[str, str], timeline: Timeline) -> None:
        """A status callback; what it answers does not matter, and it is not repeated."""
        try:
            answer = await self._ask(url, "POST", dict(fields))
            timeline.add("callback", url=urlsplit(url).path, status=answer.status)
        except HookFailed as failure:
            timeline.add("callback", url=urlsplit(url).path, error=failure.code)

    def socket_headers(self, url: str) -> dict[str, str]:
        """Of the request that opens a media socket; Twilio signs it too."""
        return {"X-Twilio-Signature": self._account.sign(url, {}), "User-Agent": "TwilioMediaStreams/1.0"}

    async def _document(self, url: str, method: str, fields: Mapping[str, str], timeline: Timeline) -> Document:
        began = timeline.now()

        def failed(code: int) -> HookFailed:
            timeline.add("webhook", url=urlsplit(url).path, seconds=round(timeline.now() - began, 3), error=code)
            return HookFailed(code, url)

        try:
            answer = await self._ask(url, method, dict(fields))
        except HookFailed as failure:
            raise failed(failure.code) from None
        if answer.status >= 400:
            raise failed(11200)
        if not answer.kind.startswith(_XML):
            raise failed(12300)
        try:
            document = twiml.parse(answer.text, url)
        except twiml.TwimlError as error:
            timeline.add("bad_document", reason=str(error))
            raise failed(error.code) from None
        timeline.add("webhook", url=urlsplit(url).path, seconds=round(timeline.now() - began, 3), status=answer.status)
        return document

    async def _ask(self, url: str, method: str, fields: dict[str, str]) -> Answer:
        if method == "GET":
            url = f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(fields)}"
            fields = {}
        headers = {
            "X-Twilio-Signature": self._account.sign(url, fields),
            "User-Agent": "TwilioProxy/1.1",
            # The same for each repetition, so that the application can tell them.
            "I-Twilio-Idempotency-Token": secrets.token_hex(16),
        }
        body = urlencode(fields)
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"
        limits = httpx.Timeout(TOTAL_SECONDS, connect=CONNECT_SECONDS)
        for attempt in range(CONNECT_ATTEMPTS):
            try:
                reply = await self._http.request(
                    method, self._number.reach(url), content=body, headers=headers, timeout=limits
                )
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if attempt + 1 == CONNECT_ATTEMPTS:
                    raise HookFailed(11205, url) from None
            except (httpx.HTTPError, httpx.InvalidURL):
                raise HookFailed(11205, url) from None
            else:
                return Answer(reply.status_code, reply.headers.get("content-type", ""), reply.text)
        raise HookFailed(11205, url)
