"""The simulated utility as a conversation test sees it: customers, what happens there, and what came of it."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import httpx

from tests.conversations.script import OutageChange, OutageFields, ScriptError
from tests.stack import Stack

STREAM = "oms:events"
NOBODY = "+12075550190"
"""A number that no customer has, for strangers who text."""
_FIRST_OF_SECOND_TOWN = 7_500
_APART = 40
_TABLES = ("trouble_reports", "report_episodes", "update_subscriptions", "contact_consents", "handoffs")
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True, slots=True)
class Place:
    """A service point."""

    service_point: str
    account: str
    address: str
    nickname: str
    outage_id: str | None = None


@dataclass(frozen=True, slots=True)
class Customer:
    """Who writes, or whom a test is about."""

    key: str
    name: str
    phone: str
    places: tuple[Place, ...]

    def facts(self) -> dict[str, str]:
        """What a test may put into braces."""
        first = self.places[0]
        street = first.address.split(",")[0]
        number, _, name = street.partition(" ")
        digits = self.phone[2:]
        return {
            "address": street,
            "full_address": first.address,
            "house_number": number,
            "street": name,
            "account": first.account,
            "account_spoken": " ".join(_DIGITS[int(digit)] for digit in first.account),
            "phone": f"({digits[:3]}) {digits[3:6]}-{digits[6:]}",
            "service_point": first.service_point,
            "name": self.name,
        }


class SimulatedUtility:
    """The switches of the simulated utility and our own records, for one test after another.

    Args:
        stack: the product under test.
        client: for its HTTP.
        quiet: the outages of the quiet day by id, with when they last changed; kept from one test to the next.
    """

    def __init__(self, stack: Stack, client: httpx.AsyncClient, quiet: dict[str, str]) -> None:
        self._stack = stack
        self._client = client
        self._quiet = quiet
        self._redis = stack.redis()

    def close(self) -> None:
        """Close what it opened."""
        self._redis.close()

    # -- before a test

    async def reset(self) -> None:
        """The quiet day: no tickets, no texts, nothing broken; and nothing in our own records."""
        await self._end_what_others_began()
        mark = self._mark()
        await self._post("/sandbox/reset", {})
        outages = await self._get("/sandbox/outages")
        await self._told(mark, {("outage", one["id"]) for one in outages})
        self._quiet.clear()
        self._quiet |= {one["id"]: one["updated_at"] for one in outages}
        left = [*await self._get("/sandbox/tickets"), *await self._get("/sandbox/texts?phone=12075550101")]
        if left:
            raise AssertionError("POST /sandbox/reset left tickets or texts behind")
        await asyncio.to_thread(self._forget)

    async def mend(self) -> None:
        """Every system works again."""
        for system in ("oms", "cis", "gis", "twilio"):
            await self._post("/sandbox/faults", {"system": system, "mode": "ok"})

    async def _end_what_others_began(self) -> None:
        """End the outages that a test made or changed: ids begin again after a reset, and an id that had a restoration
        time and has none now would rightly be told as withdrawn."""
        if not self._quiet:
            return
        mark = self._mark()
        outages = await self._get("/sandbox/outages")
        other = [one["id"] for one in outages if self._quiet.get(one["id"]) != one["updated_at"]]
        for outage_id in other:
            await self._client.delete(f"{self._stack.sandbox_url}/sandbox/outages/{outage_id}")
        await self._told(mark, {("outage", outage_id) for outage_id in other})

    def _forget(self) -> None:
        with closing(sqlite3.connect(self._stack.database, timeout=10)) as database, database:
            for table in _TABLES:
                database.execute(f"delete from {table}")
        # A text thread goes on for an hour; the next test is another day.
        for key in [*self._redis.scan_iter("sms:session:*"), *self._redis.scan_iter("*sms-*")]:
            self._redis.delete(key)

    # -- customers

    async def customer(self, key: str, number: int) -> Customer:
        """A demo customer by key, by phone, or somebody without a story.

        Args:
            key: "crew_etr", "+12075550101", or "someone".
            number: of the test, so that each "someone" is another one.

        Raises:
            ScriptError: there is none.
        """
        if key == "someone":
            return await self._someone(number)
        for one in await self._get("/sandbox/customers"):
            if key in (one["key"], one["phone"], one["name"]):
                places = tuple(
                    Place(
                        each["service_point_id"],
                        each["account_number"],
                        each["address"],
                        each["nickname"] or "",
                        each["outage_id"],
                    )
                    for each in one["premises"]
                )
                return Customer(one["key"], one["name"], one["phone"], places)
        raise ScriptError(f"there is no demo customer {key!r}; see GET /sandbox/customers")

    async def _someone(self, number: int) -> Customer:
        row = _FIRST_OF_SECOND_TOWN + number * _APART
        for candidate in range(row, row + _APART):
            found = (await self._get(f"/cis/service-points?id=SP{candidate:06d}"))["service_points"]
            if not found or found[0]["unit"] or found[0]["life_support"] or found[0]["service_status"] != "active":
                continue
            phones = found[0]["customer"]["phones"]
            if not phones:
                continue
            theirs = (await self._get(f"/cis/service-points?phone={phones[0].lstrip('+')}"))["service_points"]
            if len(theirs) == 1:
                point = theirs[0]
                place = Place(point["service_point_id"], point["account_number"], point["address"], "")
                return Customer("someone", point["customer"]["name"], phones[0], (place,))
        raise ScriptError("the simulated utility is too small for another someone")

    # -- what happens

    async def begin(self, place: Place, fields: OutageFields) -> None:
        """An outage begins."""
        mark = self._mark()
        body = {"service_point_id": place.service_point, **_given(fields)}
        made = await self._post("/sandbox/outages", body)
        await self._told(mark, {("outage", made["id"]), ("affected", made["id"])})

    async def change(self, place: Place, change: OutageChange) -> None:
        """Something about the outage at a place changes."""
        outage_id = await self._outage_at(place)
        mark = self._mark()
        answer = await self._client.patch(f"{self._stack.sandbox_url}/sandbox/outages/{outage_id}", json=_given(change))
        answer.raise_for_status()
        await self._told(mark, {("gone" if change.hidden else "outage", outage_id)})

    async def restore(self, place: Place) -> None:
        """Power comes back at a place."""
        outage_id = await self._outage_at(place)
        mark = self._mark()
        (await self._client.delete(f"{self._stack.sandbox_url}/sandbox/outages/{outage_id}")).raise_for_status()
        await self._told(mark, {("outage", outage_id), ("affected", outage_id)})

    async def fault(self, body: dict[str, Any]) -> None:
        """A system begins to misbehave, or is mended."""
        await self._post("/sandbox/faults", body)

    async def _outage_at(self, place: Place) -> str:
        for one in await self._get("/sandbox/outages"):
            if place.service_point in one["service_points"] or one["id"] == place.outage_id:
                return str(one["id"])
        raise ScriptError(f"there is no outage at {place.address}")

    # -- what came of it

    async def tickets(self) -> list[dict[str, Any]]:
        """Everything that the outage system has been told, oldest first."""
        return list(await self._get("/sandbox/tickets"))

    async def texts(self, phone: str) -> list[dict[str, Any]]:
        """The texts that the utility has sent to a phone."""
        thread = await self._get(f"/sandbox/texts?phone={phone.lstrip('+')}")
        return [one for one in thread if one["direction"] == "outbound"]

    async def send_text(self, phone: str, body: str, media: list[str]) -> tuple[str, int]:
        """A customer's phone sends a text.

        Returns:
            The message's id, and what our webhook answered.
        """
        answer = await self._post("/sandbox/texts", {"from": phone, "body": body, "media": media}, seconds=30.0)
        return str(answer["sid"]), int(answer["status"])

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What our own records say."""
        with closing(sqlite3.connect(self._stack.database, timeout=10)) as database:
            return list(database.execute(query))

    def let_time_pass(self) -> None:
        """What waits for its next try is due now; the worker does the rest."""
        with closing(sqlite3.connect(self._stack.database, timeout=10)) as database, database:
            waiting = "state in ('pending', 'rejected') and due_at > created_at"
            database.execute(f"update trouble_reports set due_at = created_at where {waiting}")

    # -- inside

    async def _get(self, path: str) -> Any:
        answer = await self._client.get(f"{self._stack.sandbox_url}{path}")
        answer.raise_for_status()
        return answer.json()

    async def _post(self, path: str, body: dict[str, Any], seconds: float = 10.0) -> Any:
        answer = await self._client.post(f"{self._stack.sandbox_url}{path}", json=body, timeout=seconds)
        answer.raise_for_status()
        return answer.json()

    def _mark(self) -> str:
        entries: Any = self._redis.xrevrange(STREAM, count=1)
        return str(entries[0][0]) if entries else "0-0"

    async def _told(self, after: str, wanted: set[tuple[str, str]]) -> None:
        """Wait until the OMS has told us of these changes: then the board has them, and nothing is left to chance."""
        if any(one["mode"] != "ok" for one in (await self._get("/sandbox/faults")).values()):
            return  # a broken OMS tells nothing
        deadline = time.monotonic() + 20.0
        missing = set(wanted)
        while missing:
            entries: Any = self._redis.xrange(STREAM, min=f"({after}")
            for _, fields in entries:
                event = json.loads(fields["event"])
                missing.discard((str(event.get("kind")), str(event.get("outage_id"))))
            if not missing:
                return
            if time.monotonic() > deadline:
                raise AssertionError(f"the outage system did not tell the gateway of {sorted(missing)}")
            await asyncio.sleep(0.01)


def _given(fields: OutageFields) -> dict[str, Any]:
    return {name: getattr(fields, name) for name in fields.model_fields_set if name != "place"}


def fill(text: str, facts: dict[str, str]) -> str:
    """A test's text with its {words} filled in; other braces stay."""
    return re.sub(r"\{([a-z_]+(?:\.[a-z_]+)?)\}", lambda match: facts.get(match[1], match[0]), text)
