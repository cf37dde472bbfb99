"""Trouble calls that the simulated OMS has taken, and what it makes of them.

A call is known by its objectID: sent again, it is counted and nothing else happens. A call from a place that is in no
outage opens one, assumed until somebody has looked; three neighbours on a transformer make it the transformer's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .outages import Outages, SimOutage
from .territory import Level, ServicePoint, Territory

NO_POWER = ("outage", "no_power", "still_out", "stillout", "partial", "partial_power", "medical_equipment")
"""Problem codes (any case) that mean electricity is missing; others, such as gas_leak, open no outage."""
NEIGHBOURS = 3


@dataclass(slots=True)
class Call:
    """One trouble call."""

    object_id: str
    problem_code: str
    description: str
    call_type: str
    priority: str
    account_number: str
    service_location: str
    phone: str
    address: str
    event_time: str
    resolved_level: str
    received_at: datetime
    outage_id: str = ""
    received: int = 1


class Tickets:
    """All calls, by objectID, in the order of their first arrival."""

    def __init__(self, territory: Territory, outages: Outages) -> None:
        self.territory, self.outages = territory, outages
        self.calls: dict[str, Call] = {}

    def take(self, call: Call, point: ServicePoint | None) -> Call:
        """Take a call, or count it when it is known already.

        Args:
            call: as read from the wire.
            point: where, when that is known.

        Returns:
            The call as it is kept.
        """
        known = self.calls.get(call.object_id)
        if known is not None:
            known.received += 1
            return known
        self.calls[call.object_id] = call
        if point is not None and not point.non_pay and call.problem_code.lower() in NO_POWER:
            call.outage_id = self._outage_for(call, point).id
        return call

    def on_outage(self, outage_id: str) -> list[Call]:
        """The calls that were put to an outage."""
        return [call for call in self.calls.values() if call.outage_id == outage_id]

    def clear(self) -> None:
        """Forget all calls."""
        self.calls.clear()

    def _outage_for(self, call: Call, point: ServicePoint) -> SimOutage:
        current = self.outages.at(point.row)
        if current is not None and current.status != "Scheduled":
            return current
        before = self.outages.restored_at(point.row)
        code = call.problem_code.lower()
        if before is not None and code in ("still_out", "stillout", "outage", "no_power", "medical_equipment"):
            # Back-dated to the outage that was said to be over, as an OMS does with a nested outage.
            return self.outages.open(
                self.territory.device_of(point.row, Level.SERVICE), [point.row], started_at=before.started_at,
                status="StillOut", etr_class="ASSESSING", cause=before.cause, cause_code=before.cause_code,
                origin="call",
            )  # fmt: skip
        outage = self.outages.open(
            self.territory.device_of(point.row, Level.SERVICE), [point.row], status="Assumed", etr_class="ASSESSING",
            origin="call",
        )  # fmt: skip
        return self._grouped(outage, point) if code not in ("partial", "partial_power") else outage

    def _grouped(self, outage: SimOutage, point: ServicePoint) -> SimOutage:
        device = self.territory.device_of(point.row, Level.TRANSFORMER)
        rows = self.territory.rows(device)
        single = [
            one for one in self.outages
            if one.active and one.origin == "call" and one.device.level is Level.SERVICE and one.status == "Assumed"
            and rows[0] <= one.device.index <= rows[-1]
        ]  # fmt: skip
        if len(single) < NEIGHBOURS:
            return outage
        start = min(one.started_at for one in single)
        whole = self.outages.open(device, rows, started_at=start, etr_class="ASSESSING", origin="call")
        for one in single:
            for kept in self.on_outage(one.id):
                kept.outage_id = whole.id
            self.outages.absorb(whole, one)
        return whole
