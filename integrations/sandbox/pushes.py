"""What the simulated OMS tells its subscribers: changed outages and the customers in them, until they have heard it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import structlog

from . import soap
from .nouns import customers_affected, outage_event
from .outages import Outages, SimOutage
from .territory import Territory
from .wsdl import NAMESPACE

log = structlog.get_logger()

EVENTS_A_POST = 50
METERS_A_POST = 5000
FIRST_WAIT, LONGEST_WAIT = 0.5, 20.0
_VERBS = {"opened": "New", "hidden": "Delete", "shown": "New"}


@dataclass(slots=True)
class Outbox:
    """What one subscriber has yet to hear: the newest state of each outage, in the order of the first change."""

    url: str
    events: dict[str, tuple[SimOutage, str]] = field(default_factory=dict)
    members: dict[str, SimOutage] = field(default_factory=dict)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    delivered: int = 0
    failures: int = 0

    @property
    def empty(self) -> bool:
        """Whether everything has been heard."""
        return not self.events and not self.members

    def note(self, what: str, outage: SimOutage) -> None:
        """Remember a change; later ones to the same outage take its place."""
        before = self.events.pop(outage.id, None)
        verb = _VERBS.get(what) or ("New" if before and before[1] == "New" else "Change")
        self.events[outage.id] = (outage, verb)
        if what in ("opened", "members", "restored", "shown"):
            self.members[outage.id] = outage
        elif what == "hidden":
            self.members.pop(outage.id, None)
        self.wake.set()


class Pushes:
    """Delivers to all subscribers, each in order, retried with growing waits until it is accepted.

    Args:
        territory: for names and meters.
        outages: whose changes.
        held: says whether the OMS is out of order, so that nothing goes out.
    """

    def __init__(self, territory: Territory, outages: Outages, held: Callable[[], bool] = lambda: False) -> None:
        self.territory = territory
        self.held = held
        self.boxes: dict[str, Outbox] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._client: httpx.AsyncClient | None = None
        outages.listen(self._changed)

    def subscribe(self, url: str) -> Outbox:
        """Tell an address of everything from now on; a second time changes nothing."""
        if url not in self.boxes:
            self.boxes[url] = Outbox(url)
            if self._client is not None:
                self._tasks[url] = asyncio.create_task(self._deliver(self.boxes[url]))
        return self.boxes[url]

    def unsubscribe(self, url: str) -> bool:
        """Stop telling an address; what it has not heard is dropped."""
        task = self._tasks.pop(url, None)
        if task is not None:
            task.cancel()
        return self.boxes.pop(url, None) is not None

    async def start(self) -> None:
        """Begin to deliver."""
        self._client = httpx.AsyncClient(timeout=10.0)
        for url, box in self.boxes.items():
            self._tasks[url] = asyncio.create_task(self._deliver(box))

    async def stop(self) -> None:
        """Stop delivering and close connections."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _changed(self, what: str, outage: SimOutage) -> None:
        for box in self.boxes.values():
            box.note(what, outage)

    async def _deliver(self, box: Outbox) -> None:
        wait = FIRST_WAIT
        while True:
            if box.empty:
                box.wake.clear()
                await box.wake.wait()
            if self.held() or not await self._send_some(box):
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)
            else:
                wait = FIRST_WAIT

    async def _send_some(self, box: Outbox) -> bool:
        """Send one block of each kind; what is not accepted goes back unless something newer has come."""
        if box.events:
            events = dict(list(box.events.items())[:EVENTS_A_POST])
            box.events = {key: value for key, value in box.events.items() if key not in events}
            body = soap.node(
                "oEvents", *(outage_event(self.territory, outage, verb) for outage, verb in events.values())
            )
            if not await self._post(box, "OutageEventChangedNotification", body):
                box.events = events | box.events
                return False
            box.delivered += len(events)
        if box.members:
            some: dict[str, SimOutage] = {}
            meters = 0
            for key, outage in box.members.items():
                if some and meters + len(outage.members) > METERS_A_POST:
                    break
                some[key] = outage
                meters += len(outage.members)
            box.members = {key: value for key, value in box.members.items() if key not in some}
            body = soap.node(
                "newOutages",
                *(customers_affected("customersAffectedByOutage", self.territory, outage) for outage in some.values()),
            )
            if not await self._post(box, "CustomersAffectedByOutageNotification", body):
                box.members = some | box.members
                return False
        return True

    async def _post(self, box: Outbox, operation: str, content: str) -> bool:
        if self._client is None:
            return False
        envelope = soap.envelope(soap.node(operation, content, xmlns=NAMESPACE))
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{NAMESPACE}/{operation}"'}
        try:
            answer = await self._client.post(box.url, content=envelope.encode(), headers=headers)
        except httpx.HTTPError:
            box.failures += 1
            return False
        if answer.is_success:
            if b"errorString" in answer.content:
                log.warning("subscriber refused a notification", operation=operation)
            return True
        box.failures += 1
        log.info("notification was not accepted", operation=operation, status=answer.status_code)
        return False
