"""What the rest of the house knows of an outage.

Feeder, device and substation never get this far (NERC CIP-011: they help an attacker; a customer gains nothing from
them). Causes are a closed set for the same reason: an OMS's own cause text names switches and lines.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal


class EtrClass(StrEnum):
    """Where a restoration time comes from, and so how it may be worded."""

    NONE = "none"
    """No estimate yet, and nobody is known to be working on one."""
    ASSESSING = "assessing"
    """Being worked out, or given once and withdrawn."""
    STATISTICAL = "statistical"
    """What such outages usually take."""
    AREA = "area"
    """The latest time for nearly everybody in the area."""
    CREW = "crew"
    """From the people at the place."""
    EXPIRED = "expired"
    """The time that was given has passed."""


class CrewStatus(StrEnum):
    """What the crew is doing. It goes backwards too: on site, suspended overnight, none."""

    NONE = "none"
    ASSIGNED = "assigned"
    EN_ROUTE = "en_route"
    ON_SITE = "on_site"
    SUSPENDED = "suspended"


class OutageStatus(StrEnum):
    """MultiSpeak's locationStatus and outageStatus together. NON_PAY is not an outage."""

    ASSUMED = "assumed"
    CONFIRMED = "confirmed"
    RESTORED = "restored"
    SCHEDULED = "scheduled"
    STILL_OUT = "still_out"
    NON_PAY = "non_pay"
    NO_OUTAGE = "no_outage"
    UNKNOWN = "unknown"

    @property
    def is_out(self) -> bool:
        """Whether power is out now, as far as the OMS knows."""
        return self in (OutageStatus.ASSUMED, OutageStatus.CONFIRMED, OutageStatus.STILL_OUT)


class Cause(StrEnum):
    """Causes that a customer may hear; each reads after "caused by"."""

    TREE = "a tree or branch on the lines"
    WEATHER = "severe weather"
    LIGHTNING = "lightning"
    EQUIPMENT = "damaged equipment"
    ANIMAL = "an animal in contact with equipment"
    VEHICLE = "a vehicle that hit a pole"
    DIG_IN = "underground lines damaged by digging"
    FIRE = "a fire"
    PLANNED = "planned work"
    SAFETY = "a safety shutoff"
    DEMAND = "high demand on the system"


@dataclass(frozen=True, slots=True)
class Outage:
    """One outage as a customer may know it. Times are aware."""

    outage_id: str
    status: OutageStatus
    started_at: datetime | None = None
    etr: datetime | None = None
    etr_class: EtrClass = EtrClass.NONE
    etr_withdrawn: bool = False
    cause: str | None = None
    crew: CrewStatus = CrewStatus.NONE
    customers_out: int | None = None
    planned: bool = False
    planned_end: datetime | None = None
    updated_at: datetime | None = None

    def as_seen_at(self, now: datetime) -> Outage:
        """The same outage with a restoration time that has passed marked EXPIRED: it is no promise any more."""
        if self.etr is not None and self.etr <= now and self.etr_class is not EtrClass.EXPIRED:
            return replace(self, etr_class=EtrClass.EXPIRED)
        return self


ViewSource = Literal["live", "board", "none"]


@dataclass(frozen=True, slots=True)
class OutageView:
    """The answer about one premise.

    Attributes:
        outage: what is known of the outage; None when there is none or nothing is known.
        status: of the premise, which may be NON_PAY or NO_OUTAGE.
        as_of: when this was last known to be true.
        source: asked just now, from memory, or nothing could be learned.
    """

    outage: Outage | None
    status: OutageStatus
    as_of: datetime
    source: ViewSource


@dataclass(frozen=True, slots=True)
class LocationEvent:
    """GetOutageEventStatusByOutageLocation's answer, or GetOutageStatusByLocation's with less in it."""

    found: bool
    status: OutageStatus
    outage_id: str = ""
    crew: CrewStatus = CrewStatus.NONE
    etr: datetime | None = None
    etr_class: EtrClass = EtrClass.NONE
    etr_withdrawn: bool = False


EventKind = Literal["outage", "gone", "affected"]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that the OMS told us.

    Attributes:
        kind: an outage as it is now; an outage that the OMS deleted (merged, mistaken); or whom one affects.
        outage_id: the OMS's id.
        at: the event's own time by the OMS's clock; orders events of one outage.
        sequence: the OMS's own counter, when it has one; it then orders instead of the time.
        outage: for kind "outage".
        service_points: for kind "affected": every service point now affected, in full.
        meters: for kind "affected": meters that came without a service point.
    """

    kind: EventKind
    outage_id: str
    at: datetime
    sequence: int | None = None
    outage: Outage | None = None
    service_points: tuple[str, ...] = ()
    meters: tuple[str, ...] = ()

    def to_json(self) -> str:
        """For the Redis stream."""
        return json.dumps(
            {
                "kind": self.kind,
                "outage_id": self.outage_id,
                "at": self.at.isoformat(),
                "sequence": self.sequence,
                "outage": outage_to_dict(self.outage) if self.outage else None,
                "service_points": self.service_points,
                "meters": self.meters,
            },
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, text: str | bytes) -> Event:
        """Read what `to_json` wrote.

        Raises:
            ValueError: it is something else.
        """
        try:
            data = json.loads(text)
            return cls(
                kind=data["kind"],
                outage_id=data["outage_id"],
                at=datetime.fromisoformat(data["at"]),
                sequence=data["sequence"],
                outage=outage_from_dict(data["outage"]) if data["outage"] else None,
                service_points=tuple(data["service_points"]),
                meters=tuple(data["meters"]),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("not an event of the outage board") from error


ReportKind = Literal[
    "outage",
    "partial",
    "still_out",
    "gas_leak",
    "downed_wire",
    "carbon_monoxide",
    "fire_shock",
    "medical_equipment",
]
ReportPriority = Literal["Normal", "NeedsAttention", "Urgent"]


@dataclass(frozen=True, slots=True)
class TroubleReport:
    """What a customer reported; becomes exactly one trouble ticket.

    Attributes:
        report_id: idempotency key (`integrations.oms.reports.report_key`).
        note: the customer's words or ours about them; goes to the dispatcher.
        phone: call-back number, E.164.
        occurred_at: when the trouble began, which for "still_out" is the original outage's start.
    """

    report_id: str
    kind: ReportKind
    occurred_at: datetime
    service_point_id: str = ""
    account_number: str = ""
    phone: str = ""
    priority: ReportPriority = "Normal"
    note: str = field(default="", repr=False)
    conversation_id: str = ""
    address: str = field(default="", repr=False)


def _time(value: datetime | None) -> str | None:
    return value.isoformat() if value else None


def outage_to_dict(outage: Outage) -> dict[str, Any]:
    """An outage as plain JSON values."""
    return {
        "outage_id": outage.outage_id,
        "status": outage.status.value,
        "started_at": _time(outage.started_at),
        "etr": _time(outage.etr),
        "etr_class": outage.etr_class.value,
        "etr_withdrawn": outage.etr_withdrawn,
        "cause": str(outage.cause) if outage.cause else None,
        "crew": outage.crew.value,
        "customers_out": outage.customers_out,
        "planned": outage.planned,
        "planned_end": _time(outage.planned_end),
        "updated_at": _time(outage.updated_at),
    }


def outage_from_dict(data: dict[str, Any]) -> Outage:
    """Read what `outage_to_dict` wrote.

    Raises:
        ValueError, KeyError, TypeError: it is something else.
    """

    def moment(name: str) -> datetime | None:
        return datetime.fromisoformat(data[name]) if data[name] else None

    return Outage(
        outage_id=data["outage_id"],
        status=OutageStatus(data["status"]),
        started_at=moment("started_at"),
        etr=moment("etr"),
        etr_class=EtrClass(data["etr_class"]),
        etr_withdrawn=data["etr_withdrawn"],
        cause=data["cause"],
        crew=CrewStatus(data["crew"]),
        customers_out=data["customers_out"],
        planned=data["planned"],
        planned_end=moment("planned_end"),
        updated_at=moment("updated_at"),
    )
