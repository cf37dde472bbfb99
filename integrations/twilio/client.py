"""Sending messages by Twilio's REST API, version 2010-04-01."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import structlog
from redis.exceptions import RedisError

from integrations.base.clock import Now, utc_now
from integrations.base.settings import Settings
from integrations.twilio.errors import (
    BODY_TOO_LONG,
    OPTED_OUT,
    TwilioBusy,
    TwilioCredentials,
    TwilioError,
    TwilioOptedOut,
    TwilioRejected,
    TwilioUnavailable,
)
from integrations.twilio.sent import MemorySentLog, SentLog
from integrations.twilio.sms import LONGEST_BODY

log = structlog.get_logger()

TWILIO = "https://api.twilio.com"
Sleep = Callable[[float], Awaitable[None]]

_LONGEST_WAIT = 15.0
_LOOK_BACK = timedelta(minutes=15)


class TwilioMessages:
    """Sends texts and pictures.

    A message is retried while Twilio is away or over its limits. Twilio's API has no idempotency key for messages, so
    the key is kept here (`SentLog`), and when an answer was lost, the account's messages are looked through before
    the message is sent again.

    Args:
        account_sid: AC...
        auth_token: of the account.
        sender: a number in E.164, or a messaging service's sid (MG...).
        api_url: empty for Twilio's own.
        status_callback: where Twilio reports what became of a message.
        sent: what was sent; by default known to this object alone.
        attempts: at most, for one call of `send`.
        total_seconds: for one attempt.
        connect_seconds: to open a connection.
        http: a client to use instead of an own one.
        sleep: waits between attempts.
        now: the clock.
    """

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        sender: str,
        *,
        api_url: str = "",
        status_callback: str = "",
        sent: SentLog | None = None,
        attempts: int = 4,
        total_seconds: float = 8.0,
        connect_seconds: float = 3.0,
        http: httpx.AsyncClient | None = None,
        sleep: Sleep = asyncio.sleep,
        now: Now = utc_now,
    ) -> None:
        if not account_sid or not auth_token or not sender:
            raise ValueError("TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_PHONE_NUMBER are needed to send")
        base = (api_url or TWILIO).rstrip("/")
        self._url = f"{base}/2010-04-01/Accounts/{account_sid}/Messages.json"
        self._auth = httpx.BasicAuth(account_sid, auth_token)
        self._sender = sender
        self._status_callback = status_callback
        self._sent = sent or MemorySentLog()
        self._attempts = attempts
        self._total = total_seconds
        self._own = http is None
        self._http = http or httpx.AsyncClient(timeout=httpx.Timeout(total_seconds, connect=connect_seconds))
        self._sleep = sleep
        self._now = now

    @classmethod
    def from_settings(cls, settings: Settings, sent: SentLog | None = None) -> TwilioMessages:
        """Build it as the environment says."""
        # Twilio refuses a callback that it cannot reach, and with it the message.
        callback = f"{settings.public_url}/twilio/status/sms" if settings.public_url else ""
        return cls(
            settings.twilio_account_sid,
            settings.twilio_auth_token.get_secret_value(),
            settings.twilio_phone_number,
            api_url=settings.twilio_api_url,
            status_callback=callback,
            sent=sent,
        )

    async def aclose(self) -> None:
        """Close the connections, when they are its own."""
        if self._own:
            await self._http.aclose()

    async def send(self, to: str, body: str, media_url: str | list[str] | None = None, *, idempotency: str) -> str:
        """Send a message once.

        Args:
            to: E.164, or whatsapp:+...
            body: at most 1,600 characters; see `integrations.twilio.sms.split`.
            media_url: pictures, up to ten.
            idempotency: names this message; the same key again is the same message.

        Returns:
            The message's sid.

        Raises:
            TwilioRejected: it will never be sent (TwilioOptedOut: the receiver said STOP).
            TwilioUnavailable: not now; the same key may be tried later (TwilioBusy: somebody else is at it).
        """
        media = [media_url] if isinstance(media_url, str) else list(media_url or [])
        if len(body) > LONGEST_BODY:
            raise TwilioRejected(400, BODY_TOO_LONG)
        form = self._form(to, body, media)
        try:
            claim = await self._sent.claim(idempotency)
        except (RedisError, OSError) as error:
            # Not to send would be silence; to send may be twice. The channel's own de-duplication is the other net.
            log.warning("messages sent cannot be looked up", error=type(error).__name__)
            return await self._send(form, False)
        if claim.state == "sent":
            return claim.sid
        if claim.state == "busy":
            raise TwilioBusy("being sent")
        try:
            sid = await self._send(form, claim.state == "unsure")
        except TwilioRejected:
            await self._note(self._sent.release(idempotency))
            raise
        except BaseException as error:
            surely_not = isinstance(error, TwilioUnavailable) and not error.maybe_sent
            await self._note(self._sent.release(idempotency) if surely_not else self._sent.doubt(idempotency))
            raise
        await self._note(self._sent.done(idempotency, sid))
        return sid

    def _form(self, to: str, body: str, media: list[str]) -> dict[str, Any]:
        sender = "MessagingServiceSid" if self._sender.startswith("MG") else "From"
        form: dict[str, Any] = {"To": to, sender: self._sender}
        if to.startswith("whatsapp:") and sender == "From" and not self._sender.startswith("whatsapp:"):
            form["From"] = f"whatsapp:{self._sender}"
        if body or not media:
            form["Body"] = body
        if media:
            form["MediaUrl"] = media
        if self._status_callback:
            form["StatusCallback"] = self._status_callback
        return form

    async def _send(self, form: dict[str, Any], look_first: bool) -> str:
        """Attempts with pauses between; before an attempt that follows a lost answer, look for the message."""
        maybe_sent = look_first
        # Twilio's times are in whole seconds. Further back there may be another message with the same words.
        since = self._now() - (_LOOK_BACK if look_first else timedelta(seconds=3))
        problem = "no attempt"
        for attempt in range(self._attempts):
            if maybe_sent:
                sid = await self._find(form, since)
                if sid is not None:
                    return sid
            pause = min(0.5 * 2**attempt, _LONGEST_WAIT) * random.uniform(0.7, 1.3)
            try:
                async with asyncio.timeout(self._total):
                    response = await self._http.post(self._url, data=form, auth=self._auth)
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
                problem = "no connection"
            except (TimeoutError, httpx.HTTPError):
                maybe_sent, problem = True, "answer lost"
            else:
                if response.status_code in (200, 201):
                    sid = _sid(response)
                    if sid is not None:
                        return sid
                    maybe_sent, problem = True, "half an answer"
                elif response.status_code == 429:
                    problem, pause = "over the limit", max(pause, _retry_after(response))
                elif response.status_code >= 500:
                    maybe_sent, problem, pause = True, "server error", max(pause, _retry_after(response))
                else:
                    raise _refusal(response)
            log.info("message not sent yet", reason=problem, attempt=attempt + 1)
            if attempt + 1 < self._attempts:
                await self._sleep(pause)
        raise TwilioUnavailable(problem, maybe_sent)

    async def _find(self, form: dict[str, Any], since: datetime) -> str | None:
        """A message just like this one that was made since a time; it may be on its way still, so without date_sent."""
        query = {"To": form["To"], "PageSize": "50"}
        if "From" in form:
            query["From"] = form["From"]
        try:
            async with asyncio.timeout(self._total):
                response = await self._http.get(self._url, params=query, auth=self._auth)
            messages = response.json()["messages"] if response.status_code == 200 else []
            for message in messages:
                ours = message["direction"].startswith("outbound") and message["body"] == form.get("Body", "")
                if ours and parsedate_to_datetime(message["date_created"]) >= since:
                    return str(message["sid"])
        except (TimeoutError, httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
            log.info("messages sent could not be looked through", error=type(error).__name__)
        return None

    @staticmethod
    async def _note(writing: Awaitable[None]) -> None:
        with contextlib.suppress(RedisError, OSError):
            await writing


def _sid(response: httpx.Response) -> str | None:
    try:
        sid = response.json()["sid"]
    except (ValueError, KeyError, TypeError):
        return None
    return sid if isinstance(sid, str) and sid else None


def _retry_after(response: httpx.Response) -> float:
    try:
        return min(float(response.headers.get("Retry-After", "0")), _LONGEST_WAIT)
    except ValueError:
        return 0.0


def _refusal(response: httpx.Response) -> TwilioError:
    try:
        code = int(response.json().get("code") or 0)
    except (ValueError, TypeError, AttributeError):
        code = 0
    if code == OPTED_OUT:
        return TwilioOptedOut(response.status_code, code)
    if response.status_code in (401, 403):
        return TwilioCredentials(response.status_code, code)
    return TwilioRejected(response.status_code, code)
