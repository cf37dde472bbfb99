"""Playing a recorded public outage feed onto the fictional area.

A recording is one JSON object a line: ``t`` (UTC), ``ev`` (new, update or cleared), ``id``, and fields; an update holds
only what changed, null means withdrawn. Positions are scaled onto the fictional area, customer counts down to its size.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .outages import Outages, SimOutage, level_for
from .territory import Ints, Territory
from .timeline import Step, Timeline

_CREWS = (
    ("SUSPENDED", r"unable to access|suspend"),
    ("ON_SITE", r"on-site|at the outage location"),
    ("EN_ROUTE", r"en route"),
    ("ASSIGNED", r"assigned|sending"),
)
_CLASSES = (
    ("EXPIRED", r"has expired"),
    ("AREA", r"all customers without power in this area"),
    ("CREW", r"evaluation of the situation by our technicians"),
    ("STATISTICAL", r"time it usually takes"),
    ("ASSESSING", r"will provide"),
)
_CAUSES = (
    ("planned work on our equipment", "Planned", r"scheduled|maintenance"),
    ("a tree on the lines", "Vegetation", r"tree|limb|vegetation"),
    ("a vehicle that hit a pole", "Public", r"car that hit|vehicle"),
    ("damaged equipment", "Equipment", r"equipment"),
    ("severe weather", "Weather", r"weather"),
)


def _first(table: Iterable[tuple[str, str]], text: str) -> str:
    return next((value for value, pattern in table if re.search(pattern, text, re.IGNORECASE)), "NONE")


def read(path: Path) -> list[dict[str, Any]]:
    """The events of a recording, in order.

    Raises:
        ValueError: when a line is not an event.
    """
    events = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    if not events or any(not {"t", "ev", "id"} <= event.keys() for event in events):
        raise ValueError("not a recording of outages")
    return sorted(events, key=lambda event: str(event["t"]))


def _moment(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None  # ETR-NULL and ETR-EXP stand where a time should


class Replay(Timeline):
    """A recording, played.

    Args:
        events: as :func:`read` gives them.
        territory: onto what.
        outages: whose outages.
        speed: 60 plays an hour in a minute; published times shrink with it.
        start: when the first event happens.
    """

    def __init__(
        self, events: list[dict[str, Any]], territory: Territory, outages: Outages, *, speed: float, start: datetime
    ) -> None:
        super().__init__(outages, start, speed)
        self.territory = territory
        self._first = _moment(events[0]["t"]) or start
        self._live: dict[str, SimOutage] = {}
        self._centre: dict[str, int] = {}
        self._state: dict[str, dict[str, Any]] = {}
        self._scale = max(1.0, self._peak(events) / (0.6 * territory.size))
        places = {key: [float(event[key]) for event in events if event.get(key)] or [0.0] for key in ("lat", "lon")}
        self._box = [f(places[key]) for key in ("lat", "lon") for f in (min, max)]
        starts = territory.offsets[:-1]
        self._east, self._north = territory.lon[starts], territory.lat[starts]
        last = {event["id"]: index for index, event in enumerate(events)}
        self.load(
            Step(self._offset(event["t"]), index, partial(self._play, event, last[event["id"]] == index))
            for index, event in enumerate(events)
        )

    @staticmethod
    def _peak(events: list[dict[str, Any]]) -> int:
        now: dict[str, int] = {}
        total = peak = 0
        for event in events:
            before = now.get(event["id"], 0)
            after = 0 if event["ev"] == "cleared" else int(event.get("customers") or before)
            now[event["id"]] = after
            total += after - before
            peak = max(peak, total)
        return peak

    def _offset(self, text: Any) -> float:
        moment = _moment(text)
        return (moment - self._first).total_seconds() if moment else 0.0

    def _play(self, event: dict[str, Any], ends: bool) -> None:
        key = str(event["id"])
        outage = self._live.get(key)
        if event["ev"] == "cleared":
            if outage is not None:
                # An id that comes back was not restored: it had left the map.
                (self.outages.restore if ends else self.outages.hide)(outage)
            return
        state = self._state.setdefault(key, {})
        if event["ev"] == "new":
            state.clear()
        state.update(event)
        if outage is None or outage.completed is not None:
            self._open(key, state)
            return
        self.outages.show(outage)
        if {"lat", "lon", "customers"} & event.keys():
            self.outages.set_members(outage, self._members(key, state))
        self.outages.change(outage, **self._fields(state, outage))

    def _open(self, key: str, state: dict[str, Any]) -> None:
        members = self._members(key, state)
        device = self.territory.device_of(self._centre[key], level_for(len(members)))
        fields = self._fields(state, None)
        started = _moment(state.get("start"))
        if started is not None:
            fields["started_at"] = self.when((started - self._first).total_seconds())
        self._live[key] = self.outages.open(device, members, id=key, origin="replay", **fields)

    def _members(self, key: str, state: dict[str, Any]) -> Ints:
        south, north, west, east = self._box
        lat, lon = self.territory.lat, self.territory.lon
        y = lat.min() + (float(state["lat"]) - south) / max(north - south, 1e-9) * (lat.max() - lat.min())
        x = lon.min() + (float(state["lon"]) - west) / max(east - west, 1e-9) * (lon.max() - lon.min())
        nearest = int(np.argmin((self._east - x) ** 2 + (self._north - y) ** 2))
        centre = int(self.territory.offsets[nearest])
        self._centre[key] = centre
        count = max(1, round(int(state.get("customers") or 1) / self._scale))
        first = max(0, min(centre - count // 2, self.territory.size - count))
        return np.arange(first, min(first + count, self.territory.size), dtype=np.int64)

    def _fields(self, state: dict[str, Any], outage: SimOutage | None) -> dict[str, Any]:
        crew = _first(_CREWS, str(state.get("crew") or ""))
        raw, comments = state.get("etr"), str(state.get("comments") or "")
        moment = _moment(raw)
        etr = self.when((moment - self._first).total_seconds()) if moment else None
        etr_class = _first(_CLASSES, comments)
        if raw == "ETR-EXP":
            etr, etr_class = (outage.etr if outage else None), "EXPIRED"
        elif etr is not None and etr_class in ("NONE", "ASSESSING"):
            etr_class = "CREW" if crew == "ON_SITE" else "STATISTICAL"
        elif etr is None and etr_class not in ("NONE", "EXPIRED"):
            etr_class = "ASSESSING"
        cause = next(
            (
                (text, code)
                for text, code, pattern in _CAUSES
                if re.search(pattern, str(state.get("cause") or ""), re.I)
            ),
            ("", ""),
        )
        had = outage is not None and (outage.etr is not None or outage.etr_withdrawn)
        return {
            "status": "Confirmed" if crew in ("ON_SITE", "EN_ROUTE") or cause[0] else "Assumed",
            "crew": crew,
            "etr": etr,
            "etr_class": etr_class,
            "etr_withdrawn": had and etr is None,
            "cause": cause[0],
            "cause_code": cause[1],
        }
