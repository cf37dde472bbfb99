"""An OMS in memory, with the calls of `integrations.oms.client.MultiSpeakOms`."""

from __future__ import annotations

import asyncio

from integrations.oms.client import Location
from integrations.oms.errors import OmsRejected, OmsUnavailable
from integrations.oms.models import Event, LocationEvent, OutageStatus, TroubleReport


class FakeOms:
    """Set `down` to make it unavailable; `lose_answers` takes a report and does not say so."""

    budget_seconds = 1.0

    def __init__(self) -> None:
        self.available = True
        self.down = False
        self.lose_answers = False
        self.refuse = ""
        self.locations: dict[str, LocationEvent] = {}
        self.listed: list[Event] = []
        self.members: dict[str, Event] = {}
        self.ended: dict[str, Event] = {}
        self.calls: list[str] = []
        self.tickets: dict[str, list[TroubleReport]] = {}
        self.asked = asyncio.Event()
        self.gate: asyncio.Event | None = None

    async def _answer(self, call: str) -> None:
        self.calls.append(call)
        self.asked.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.down:
            raise OmsUnavailable("no connection")

    async def location_event(self, where: Location, budget: float | None = None) -> LocationEvent:
        await self._answer("location_event")
        return self.locations.get(where.service_point_id, LocationEvent(True, OutageStatus.NO_OUTAGE))

    async def active_outages(self) -> list[Event]:
        await self._answer("active_outages")
        return list(self.listed)

    async def outage(self, outage_id: str) -> Event | None:
        await self._answer("outage")
        if outage_id not in self.ended:
            raise OmsRejected("no such outage")
        return self.ended[outage_id]

    async def affected(self, outage_id: str) -> Event:
        await self._answer("affected")
        if outage_id not in self.members:
            raise OmsRejected("no such outage")
        return self.members[outage_id]

    async def report(
        self, report: TroubleReport, object_id: str, budget: float | None = None, *, patient: bool = False
    ) -> None:
        await self._answer("report")
        if self.refuse:
            raise OmsRejected(self.refuse, object_id)
        self.tickets.setdefault(object_id, []).append(report)
        if self.lose_answers:
            raise OmsUnavailable("half an answer")

    async def aclose(self) -> None:
        return None
