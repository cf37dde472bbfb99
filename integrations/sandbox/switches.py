"""Making and changing single outages by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from .outages import SimOutage, level_for
from .territory import Ints, ServicePoint
from .utility import Utility

EtrClass = Literal["NONE", "ASSESSING", "STATISTICAL", "AREA", "CREW", "EXPIRED"]
Crew = Literal["NONE", "ASSIGNED", "EN_ROUTE", "ON_SITE", "SUSPENDED"]
Status = Literal["Assumed", "Confirmed", "Restored", "Scheduled", "StillOut", "Unknown"]


class OutageChange(BaseModel):
    """Fields of an outage that can be set; minutes count from now, and null withdraws a restoration time."""

    model_config = ConfigDict(extra="forbid")

    status: Status | None = None
    customers: int | None = Field(None, ge=1)
    etr_minutes: float | None = None
    etr_class: EtrClass | None = None
    etr_withdrawn: bool | None = None
    show_etr: bool | None = None
    cause: str | None = Field(None, max_length=200)
    crew: Crew | None = None
    hidden: bool | None = None


class NewOutage(OutageChange):
    """An outage to make at a service point, or at the premises of a phone or an account number."""

    service_point_id: str | None = None
    phone: str | None = None
    account: str | None = None
    customers: int | None = Field(1, ge=1)
    started_minutes_ago: float = 30.0
    planned: bool = False
    starts_in_minutes: float = Field(24 * 60.0, description="Planned work only")
    planned_minutes: float = Field(180.0, gt=0, description="Planned work only: how long it takes")


class NoSuchPlace(LookupError):
    """No service point has this id, phone or account."""


def place_of(utility: Utility, asked: NewOutage) -> ServicePoint:
    """The service point that was asked for.

    Raises:
        NoSuchPlace: when there is none.
    """
    directory = utility.directory
    points: list[ServicePoint] = []
    if asked.service_point_id:
        point = directory.by_id(asked.service_point_id)
        points = [point] if point else []
    elif asked.account:
        points = directory.by_account(asked.account)
    elif asked.phone:
        points = directory.by_phone(asked.phone)
        if not points:  # a hand-made customer who calls from a number that is not on file
            known = (one for one in utility.demo_customers() if one["phone"] == asked.phone)
            points = [point for one in known if (point := directory.by_id(one["service_point_id"]))]
    if not points:
        raise NoSuchPlace
    return points[0]


def make(utility: Utility, asked: NewOutage) -> SimOutage:
    """Make an outage. Its service points leave any outage that they were in.

    Raises:
        NoSuchPlace: when there is no such service point.
    """
    point = place_of(utility, asked)
    rows = _around(utility, point.row, asked.customers or 1)
    _leave_others(utility, rows)
    now = utility.clock.now()
    start = now - timedelta(minutes=asked.started_minutes_ago)
    etr = None if asked.etr_minutes is None else now + timedelta(minutes=asked.etr_minutes)
    status = asked.status or "Confirmed"
    if asked.planned:
        start = now + timedelta(minutes=asked.starts_in_minutes)
        etr = etr or start + timedelta(minutes=asked.planned_minutes)
        status = asked.status or "Scheduled"
    past = etr is not None and etr <= now
    default_class = "NONE" if etr is None else "EXPIRED" if past else "CREW"
    crew = asked.crew or "NONE"
    device = utility.territory.device_of(point.row, level_for(len(rows)))
    outage = utility.outages.open(
        device, rows, started_at=start, etr=etr, etr_class=asked.etr_class or default_class, status=status,
        etr_withdrawn=bool(asked.etr_withdrawn), show_etr=asked.show_etr is not False, cause=asked.cause or "",
        cause_code="Planned" if asked.planned else "Other" if asked.cause else "", planned=asked.planned,
        first_dispatch=start + timedelta(minutes=10) if crew != "NONE" and not asked.planned else None,
        first_arrival=now if crew in ("ON_SITE", "SUSPENDED") else None, crew=crew,
    )  # fmt: skip
    if status == "Restored":
        utility.outages.restore(outage)
    return outage


def change(utility: Utility, outage: SimOutage, asked: OutageChange) -> None:
    """Change what was asked for and nothing else."""
    given = asked.model_fields_set
    fields: dict[str, Any] = {}
    for name in ("etr_class", "etr_withdrawn", "show_etr", "cause", "crew", "status"):
        value = getattr(asked, name)
        if name in given and value is not None:
            fields[name] = value
    if "etr_minutes" in given:
        now = utility.clock.now()
        etr = None if asked.etr_minutes is None else now + timedelta(minutes=asked.etr_minutes)
        if etr is None:
            fields.setdefault("etr_withdrawn", outage.etr is not None or outage.etr_withdrawn)
            fields.setdefault("etr_class", "ASSESSING")
        else:
            fields.setdefault("etr_withdrawn", False)
            fields.setdefault("etr_class", "EXPIRED" if etr <= now else "CREW")
        fields["etr"] = etr
    outage.touched = True
    restored = fields.pop("status", None) if fields.get("status") == "Restored" else None
    if fields:
        utility.outages.change(outage, **fields)
    if "customers" in given and asked.customers is not None:
        centre = int(outage.members[0]) if len(outage.members) else outage.device.index
        utility.outages.set_members(outage, _resized(utility, outage, centre, asked.customers))
    if asked.hidden is not None:
        (utility.outages.hide if asked.hidden else utility.outages.show)(outage)
    if restored:
        utility.outages.restore(outage)


def _around(utility: Utility, row: int, count: int) -> Ints:
    first = max(0, min(row - count // 2, utility.territory.size - count))
    return np.arange(first, min(first + count, utility.territory.size), dtype=np.int64)


def _resized(utility: Utility, outage: SimOutage, centre: int, count: int) -> Ints:
    if count <= len(outage.members):
        return outage.members[:count]
    return np.union1d(outage.members, _around(utility, centre, count))[:count]


def _leave_others(utility: Utility, rows: Ints) -> None:
    for outage in utility.outages.active():
        rest = np.setdiff1d(outage.members, rows, assume_unique=True)
        if len(rest) == len(outage.members):
            continue
        outage.touched = True
        if len(rest):
            utility.outages.set_members(outage, rest)
        else:
            utility.outages.restore(outage)


def as_json(outage: SimOutage) -> dict[str, Any]:
    """An outage as the switches show it."""
    return {
        "id": outage.id,
        "status": outage.status,
        "active": outage.active,
        "hidden": outage.hidden,
        "planned": outage.planned,
        "started_at": outage.started_at.isoformat(),
        "etr": outage.etr.isoformat() if outage.etr else None,
        "etr_class": outage.etr_class,
        "etr_withdrawn": outage.etr_withdrawn,
        "show_etr": outage.show_etr,
        "cause": outage.cause or None,
        "crew": outage.crew,
        "customers_out": len(outage.members),
        "customers_restored": outage.restored_count,
        "updated_at": outage.updated_at.isoformat(),
        "service_points": [f"SP{row + 1:06d}" for row in outage.members[:20].tolist()],
    }
