"""The CIS over HTTP."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from dataclasses import replace
from datetime import timedelta

import httpx
import structlog
from pydantic import ValidationError

from integrations.base.breaker import CircuitBreaker
from integrations.base.clock import Monotonic, Now, utc_now
from integrations.base.phones import to_e164
from integrations.base.settings import Settings
from integrations.cis.addresses import likeness
from integrations.cis.models import Answer, Premise, ServicePointsJson
from integrations.cis.numbers import account_number

log = structlog.get_logger()

_MOST_BYTES = 2_000_000
_MOST_KEPT = 20_000


class CisUnavailable(Exception):
    """Slow, dead, half answered, or an error; the text is one of a few constant reasons."""


class CisClient:
    """Reads customers and premises; remembers what it read for a while, in case the CIS goes away.

    Args:
        url: of the CIS, without the path of the call.
        token: bearer token; empty for none.
        budget_seconds: for a call in all.
        connect_seconds: to open a connection.
        fresh_seconds: for so long an answer is given again without asking.
        stale_seconds: for so long it is given when the CIS does not answer. Numbers change hands, so not for ever.
        region: assumed country of phone numbers.
        breaker: leaves a dead CIS alone; by default after three failures in a row.
        http: a client to use instead of an own one.
        now: the clock.
        monotonic: the clock for ages.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str = "",
        budget_seconds: float = 1.5,
        connect_seconds: float = 0.75,
        fresh_seconds: float = 60.0,
        stale_seconds: float = 3600.0,
        region: str = "US",
        breaker: CircuitBreaker | None = None,
        http: httpx.AsyncClient | None = None,
        now: Now = utc_now,
        monotonic: Monotonic = time.monotonic,
    ) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._budget = budget_seconds
        self._fresh, self._stale = fresh_seconds, stale_seconds
        self._region = region
        self._breaker = breaker or CircuitBreaker()
        self._own = http is None
        self._http = http or httpx.AsyncClient(timeout=httpx.Timeout(budget_seconds, connect=connect_seconds))
        self._now, self._monotonic = now, monotonic
        self._kept: OrderedDict[tuple[str, str], tuple[float, Answer]] = OrderedDict()

    @classmethod
    def from_settings(cls, settings: Settings) -> CisClient:
        """Build it as the environment says."""
        return cls(settings.cis_url, token=settings.cis_token.get_secret_value())

    async def aclose(self) -> None:
        """Close the connections, when they are its own."""
        if self._own:
            await self._http.aclose()

    async def find_by_phone(self, phone: str, budget: float | None = None) -> list[Premise]:
        """The premises of whoever has this number; those of several customers when they share it.

        Args:
            phone: E.164, or as people write it.
            budget: seconds, when it has to be quicker than usual.

        Raises:
            CisUnavailable: no answer, and none remembered.
        """
        number = to_e164(phone, self._region)
        return list((await self.ask("phone", number, budget)).premises) if number else []

    async def find_by_account(self, number: str, budget: float | None = None) -> list[Premise]:
        """The premises of an account, whose number may have spaces and dashes or be spelt in words.

        Raises:
            CisUnavailable: no answer, and none remembered.
        """
        digits = account_number(number)
        return list((await self.ask("account", digits, budget)).premises) if digits else []

    async def find_by_address(
        self, text: str, limit: int = 5, budget: float | None = None
    ) -> list[tuple[Premise, float]]:
        """The likeliest premises for an address in a customer's words, best first, with a score from 0 to 100.

        The CIS finds candidates; they are scored here, so that scores mean the same with every CIS.

        Raises:
            CisUnavailable: no answer, and none remembered.
        """
        words = " ".join(text.split())[:200]
        if not any(character.isalpha() for character in words):
            return []
        found = (await self.ask("address", words, budget, limit=max(limit, 10))).premises
        scored = [(premise, round(likeness(words, premise.address, premise.unit), 1)) for premise in found]
        scored.sort(key=lambda pair: -pair[1])
        return scored[:limit]

    async def get_premise(self, service_point_id: str, budget: float | None = None) -> Premise | None:
        """One premise; None when there is none with this id.

        Raises:
            CisUnavailable: no answer, and none remembered.
        """
        if not service_point_id:
            return None
        answer = await self.ask("id", service_point_id, budget)
        return next((one for one in answer.premises if one.service_point_id == service_point_id), None)

    async def ask(self, by: str, value: str, budget: float | None = None, limit: int = 50) -> Answer:
        """The CIS's answer with its age.

        Args:
            by: "phone", "account", "address" or "id".
            value: normalised.
            budget: seconds.
            limit: premises at most.

        Raises:
            CisUnavailable: no answer, and none remembered.
        """
        key = (by, value.lower())
        kept = self._kept.get(key)
        age = self._monotonic() - kept[0] if kept else float("inf")
        if kept is not None and age <= self._fresh:
            return replace(kept[1], from_memory=True)
        try:
            answer = await self._call(by, value, self._budget if budget is None else budget, limit)
        except CisUnavailable:
            if kept is not None and age <= self._stale:
                return replace(kept[1], from_memory=True)
            raise
        self._kept[key] = (self._monotonic(), answer)
        self._kept.move_to_end(key)
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return answer

    async def _call(self, by: str, value: str, budget: float, limit: int) -> Answer:
        if not self._breaker.allows and not self._breaker.take_probe():
            raise CisUnavailable("left alone after failures")
        try:
            async with asyncio.timeout(budget):
                answer = await self._fetch({by: value, "limit": str(limit)})
        except TimeoutError:
            self._breaker.failed()
            raise CisUnavailable("slow") from None
        except (httpx.HTTPError, OSError):
            self._breaker.failed()
            raise CisUnavailable("no connection or half an answer") from None
        except CisUnavailable:
            self._breaker.failed()
            raise
        self._breaker.succeeded()
        return answer

    async def _fetch(self, parameters: dict[str, str]) -> Answer:
        url = f"{self._url}/service-points"
        async with self._http.stream("GET", url, params=parameters, headers=self._headers) as response:
            if response.status_code == 404:
                return Answer((), self._now())
            if response.status_code != 200:
                raise CisUnavailable("error status")
            raw = b""
            async for piece in response.aiter_bytes():
                raw += piece
                if len(raw) > _MOST_BYTES:
                    raise CisUnavailable("answer too large")
        try:
            points = ServicePointsJson.model_validate_json(raw).service_points
        except ValidationError:
            # Its text quotes what was received.
            raise CisUnavailable("not an answer") from None
        return Answer(
            tuple(point.premise() for point in points),
            self._now(),
            tuple(point.score for point in points if point.score is not None),
        )


def age_of(answer: Answer, now: Now = utc_now) -> timedelta:
    """How old an answer is."""
    return now() - answer.as_of
