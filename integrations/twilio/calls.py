"""Changing a call under way by Twilio's REST API, version 2010-04-01 (https://www.twilio.com/docs/voice/api)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import httpx
import structlog

from integrations.base.settings import Settings
from integrations.twilio.client import TWILIO
from integrations.twilio.errors import CallOver, TwilioCredentials, TwilioError, TwilioRejected, TwilioUnavailable

log = structlog.get_logger()

NOT_IN_PROGRESS = 21220
"""Twilio's code for a change to a call that has ended; an unknown call is a plain 404."""
LONGEST_TWIML = 4_000
Sleep = Callable[[float], Awaitable[None]]


class TwilioCalls:
    """Updates live calls. To say the same thing twice does no harm, so a lost answer is simply asked for again.

    Args:
        account_sid: AC...
        auth_token: of the account.
        api_url: empty for Twilio's own.
        attempts: at most, for one change; a caller is waiting.
        total_seconds: for one attempt.
        http: a client to use instead of an own one.
        sleep: waits between attempts.
    """

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        *,
        api_url: str = "",
        attempts: int = 3,
        total_seconds: float = 3.0,
        http: httpx.AsyncClient | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._base = f"{(api_url or TWILIO).rstrip('/')}/2010-04-01/Accounts/{account_sid}/Calls"
        self._auth = httpx.BasicAuth(account_sid, auth_token)
        self._attempts = attempts
        self._total = total_seconds
        self._own = http is None
        self._http = http or httpx.AsyncClient(timeout=httpx.Timeout(total_seconds, connect=1.5))
        self._sleep = sleep

    @classmethod
    def from_settings(cls, settings: Settings) -> TwilioCalls:
        """Build it as the environment says."""
        return cls(
            settings.twilio_account_sid,
            settings.twilio_auth_token.get_secret_value(),
            api_url=settings.twilio_api_url,
        )

    async def aclose(self) -> None:
        """Close the connections, when they are its own."""
        if self._own:
            await self._http.aclose()

    async def direct(self, call_sid: str, twiml: str) -> None:
        """Make a call follow another document from now on; a media stream under way ends.

        Args:
            call_sid: CA...
            twiml: at most 4,000 characters (Twilio's limit).

        Raises:
            CallOver: there is no such call any more.
            TwilioRejected: refused; it would be refused again.
            TwilioUnavailable: no answer after all attempts.
        """
        if len(twiml) > LONGEST_TWIML:
            raise ValueError("a document for a live call has at most 4,000 characters")
        await self._update(call_sid, {"Twiml": twiml})

    async def hang_up(self, call_sid: str) -> None:
        """End a call.

        Raises:
            CallOver: it has ended already.
            TwilioRejected: refused.
            TwilioUnavailable: no answer after all attempts.
        """
        await self._update(call_sid, {"Status": "completed"})

    async def _update(self, call_sid: str, form: dict[str, str]) -> None:
        problem = "no attempt"
        for attempt in range(self._attempts):
            try:
                async with asyncio.timeout(self._total):
                    response = await self._http.post(f"{self._base}/{call_sid}.json", data=form, auth=self._auth)
            except (TimeoutError, httpx.HTTPError):
                problem = "no answer"
            else:
                if response.status_code in (200, 201):
                    return
                if response.status_code != 429 and response.status_code < 500:
                    raise _refusal(response)
                problem = "over the limit" if response.status_code == 429 else "server error"
            log.info("call not changed yet", reason=problem, attempt=attempt + 1)
            if attempt + 1 < self._attempts:
                await self._sleep(0.2 * 2**attempt * random.uniform(0.7, 1.3))
        raise TwilioUnavailable(problem)


def _refusal(response: httpx.Response) -> TwilioError:
    try:
        code = int(response.json().get("code") or 0)
    except (ValueError, TypeError, AttributeError):
        code = 0
    if response.status_code == 404 or code == NOT_IN_PROGRESS:
        return CallOver(response.status_code, code)
    if response.status_code in (401, 403):
        return TwilioCredentials(response.status_code, code)
    return TwilioRejected(response.status_code, code)
