"""The simulated outage management system's memory: outages, who is in them, and who has just come back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from .clock import Clock
from .territory import Device, Ints, Level

ETR_CLASSES = ("NONE", "ASSESSING", "STATISTICAL", "AREA", "CREW", "EXPIRED")
CREW_STATUSES = ("NONE", "ASSIGNED", "EN_ROUTE", "ON_SITE", "SUSPENDED")
STATUSES = ("Assumed", "Confirmed", "Restored", "Scheduled", "StillOut", "NonPay", "Unknown")
RESTORED_KEPT = timedelta(hours=24)
"""How long a location that came back is answered with Restored, and its outage by its id."""

Listener = Callable[[str, "SimOutage"], None]
"""Called after each change with what happened: opened, changed, members, restored, hidden, shown."""


@dataclass(slots=True)
class SimOutage:
    """One outage as the OMS sees it. ``members`` are rows of the territory, without power now."""

    id: str
    device: Device
    members: Ints
    started_at: datetime
    updated_at: datetime
    status: str = "Assumed"
    etr: datetime | None = None
    etr_class: str = "NONE"
    etr_withdrawn: bool = False
    show_etr: bool = True
    cause: str = ""
    cause_code: str = ""
    crew: str = "NONE"
    first_dispatch: datetime | None = None
    first_arrival: datetime | None = None
    completed: datetime | None = None
    planned: bool = False
    restored_count: int = 0
    sequence: int = 0
    replaces: str = ""
    origin: str = "manual"
    hidden: bool = False
    touched: bool = False

    @property
    def active(self) -> bool:
        """Whether it is in the list of active outages."""
        return self.completed is None and not self.hidden


class Outages:
    """All outages, indexed by id and by service point."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.by_id: dict[str, SimOutage] = {}
        self._at: dict[int, list[str]] = {}
        self._restored: dict[int, tuple[str, datetime]] = {}
        self._listeners: list[Listener] = []
        self._next = 0
        # From the clock, so that numbers go on growing when the process starts again.
        self._sequence = int(clock.now().timestamp() * 100)
        self.moment: datetime | None = None
        """The time of a change that is played back; ``None``: the clock's."""

    def now(self) -> datetime:
        """When a change that is made now counts as made."""
        return self.moment or self.clock.now()

    # reading

    def __iter__(self) -> Iterator[SimOutage]:
        return iter(list(self.by_id.values()))

    def active(self) -> list[SimOutage]:
        """Outages that the OMS lists now, planned work included, oldest first."""
        return [outage for outage in self.by_id.values() if outage.active]

    def at(self, row: int) -> SimOutage | None:
        """The outage that a service point is in: the one furthest upstream, and planned work only if nothing else."""
        inside = [self.by_id[one] for one in self._at.get(row, ()) if self.by_id[one].active]
        return max(inside, key=lambda outage: (not outage.planned, outage.device.level, outage.id), default=None)

    def restored_at(self, row: int) -> SimOutage | None:
        """The outage that a service point has just come out of, if that is not long ago."""
        entry = self._restored.get(row)
        if entry is None or self.clock.now() - entry[1] > RESTORED_KEPT:
            return None
        return self.by_id.get(entry[0])

    def rows_out(self) -> int:
        """How many service points are without power now."""
        return sum(1 for row, ids in self._at.items() if any(self._dark(self.by_id[one]) for one in ids))

    @staticmethod
    def _dark(outage: SimOutage) -> bool:
        return outage.completed is None and outage.status != "Scheduled"

    # changing

    def listen(self, listener: Listener) -> None:
        """Be told of each change from now on."""
        self._listeners.append(listener)

    def new_id(self) -> str:
        """The next outage number."""
        self._next += 1
        return f"{2_600_000 + self._next}"

    def open(self, device: Device, members: Iterable[int] | Ints, **fields: Any) -> SimOutage:
        """Start an outage.

        Args:
            device: what has tripped.
            members: rows of the service points that lost power; they may also be in other outages (nesting).
            **fields: anything else that a SimOutage has.
        """
        now = self.now()
        rows = np.unique(np.fromiter(members, dtype=np.int64))
        values: dict[str, Any] = {"id": self.new_id(), "started_at": now, "updated_at": now} | fields
        outage = SimOutage(device=device, members=rows, **values)
        self.by_id[outage.id] = outage
        self._enter(outage, rows)
        self._tell("opened", outage)
        return outage

    def change(self, outage: SimOutage, **fields: Any) -> None:
        """Change fields; times of the first dispatch and arrival follow from the crew's status."""
        now = self.now()
        for name, value in fields.items():
            setattr(outage, name, value)
        if outage.crew in ("ASSIGNED", "EN_ROUTE", "ON_SITE") and outage.first_dispatch is None:
            outage.first_dispatch = now
        if outage.crew == "ON_SITE" and outage.first_arrival is None:
            outage.first_arrival = now
        outage.updated_at = now
        self._tell("changed", outage)

    def set_members(self, outage: SimOutage, members: Iterable[int] | Ints) -> None:
        """Change who is in an outage: those who left have their power back, unless another outage holds them."""
        rows = np.unique(np.fromiter(members, dtype=np.int64))
        gone = np.setdiff1d(outage.members, rows, assume_unique=True)
        come = np.setdiff1d(rows, outage.members, assume_unique=True)
        self._leave(outage, gone)
        outage.members = rows
        outage.restored_count += len(gone)
        self._enter(outage, come)
        outage.updated_at = self.now()
        self._tell("members", outage)

    def restore(self, outage: SimOutage) -> None:
        """End an outage; service points that are also in another stay out."""
        if outage.completed is not None:
            return
        outage.completed = outage.updated_at = self.now()
        outage.status = "Restored"
        self._leave(outage, outage.members)
        outage.restored_count += len(outage.members)
        outage.members = outage.members[:0]
        self._tell("restored", outage)

    def hide(self, outage: SimOutage) -> None:
        """Take an outage off the list without an end, as real feeds do; the power stays off."""
        outage.hidden = True
        self._tell("hidden", outage)

    def show(self, outage: SimOutage) -> None:
        """Put it back under its old id."""
        if outage.hidden:
            outage.hidden = False
            outage.updated_at = self.now()
            self._tell("shown", outage)

    def replace(self, old: SimOutage, parts: list[tuple[Device, Ints]]) -> list[SimOutage]:
        """Split one outage into several new ids; the old one vanishes without having been restored."""
        fields = {
            name: getattr(old, name)
            for name in ("started_at", "status", "etr", "etr_class", "etr_withdrawn", "show_etr", "cause", "cause_code",
                         "crew", "first_dispatch", "first_arrival", "origin")
        }  # fmt: skip
        self._drop(old)
        return [self.open(device, rows, replaces=old.id, **fields) for device, rows in parts]

    def absorb(self, keeper: SimOutage, other: SimOutage) -> None:
        """Merge: the other's id vanishes and its service points go on in the keeper, with the older start."""
        rows = np.union1d(keeper.members, other.members)
        keeper.started_at = min(keeper.started_at, other.started_at)
        self._drop(other)
        self.set_members(keeper, rows)

    def forget_old(self) -> None:
        """Drop outages that ended long ago."""
        limit = self.now() - RESTORED_KEPT
        old = [one for one in self.by_id.values() if one.completed is not None and one.completed < limit]
        for outage in old:
            del self.by_id[outage.id]
        self._restored = {row: entry for row, entry in self._restored.items() if entry[1] >= limit}

    def clear(self) -> None:
        """Forget everything: each id leaves the list, nothing is called restored, no id comes again."""
        for outage in self:
            self.hide(outage)
        self.by_id.clear()
        self._at.clear()
        self._restored.clear()

    def _drop(self, outage: SimOutage) -> None:
        for row in outage.members.tolist():
            self._at[row].remove(outage.id)
            if not self._at[row]:
                del self._at[row]
        outage.members = outage.members[:0]
        outage.hidden = True
        del self.by_id[outage.id]
        self._tell("hidden", outage)

    def _enter(self, outage: SimOutage, rows: Ints) -> None:
        for row in rows.tolist():
            self._at.setdefault(row, []).append(outage.id)
            self._restored.pop(row, None)

    def _leave(self, outage: SimOutage, rows: Ints) -> None:
        now = self.now()
        for row in rows.tolist():
            inside = self._at[row]
            inside.remove(outage.id)
            if not inside:
                del self._at[row]
            if outage.status != "Scheduled" and not outage.planned:
                self._restored[row] = (outage.id, now)

    def _tell(self, what: str, outage: SimOutage) -> None:
        self._sequence += 1
        outage.sequence = self._sequence
        for listener in self._listeners:
            listener(what, outage)


def level_for(count: int) -> Level:
    """The kind of device whose failure takes out about this many customers."""
    for level, most in ((Level.SERVICE, 1), (Level.TRANSFORMER, 18), (Level.SECTION, 160), (Level.FEEDER, 1800)):
        if count <= most:
            return level
    return Level.SUBSTATION
