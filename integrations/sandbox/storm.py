"""A storm over the fictional area, the same for the same seed.

What it does and how often follows public outage feeds of real storms (PG&E in January 2021, LG&E and KU in Helene,
BC Hydro in November 2022): most outages are single customers and a few are feeders; most never get a restoration time;
times are withdrawn, moved earlier, or past when they are published; ids vanish and return, split and merge; counts rise
as well as fall; crews leave before the work is done; small outages outlive the large one around them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from .clock import to_quarter
from .outages import Outages, SimOutage
from .territory import Device, Ints, Level, Territory
from .timeline import Step, Timeline

MINUTE, HOUR = 60.0, 3600.0
CAUSES = (
    ("high winds", "Weather"), ("a tree on the lines", "Vegetation"), ("damaged equipment", "Equipment"),
    ("lightning", "Weather"), ("a vehicle that hit a pole", "Public"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Profile:
    """How often things happen. Shares are of outages unless they say otherwise."""

    levels: dict[Level, float] = field(
        default_factory=lambda: {
            Level.SERVICE: 0.55,
            Level.TRANSFORMER: 0.27,
            Level.SECTION: 0.13,
            Level.FEEDER: 0.045,
            Level.SUBSTATION: 0.005,
        }
    )
    etr_by_level: tuple[float, ...] = (0.20, 0.30, 0.60, 0.85, 0.95)  # ever get one; about 0.7 of all never do
    second_etr: float = 0.55  # of those with one: a later one from the crew
    earlier: float = 0.06  # of those later ones
    past_when_published: float = 0.025  # of first ones
    withdrawn: float = 0.08  # of those with one
    not_public: float = 0.03  # of those with one: showEtr is false
    marked_expired: float = 0.7  # of those that pass: the OMS says so
    vanishes: float = 0.03
    splits: float = 0.06  # of section and up
    merges: float = 0.02
    grows: float = 0.12
    partly_restored: float = 0.45  # of section and up
    nested: float = 0.45  # of section and up: a smaller one inside that outlives it
    crew_regresses: float = 0.10
    arrival_scale: float = 50 * MINUTE  # gamma of shape 2: half have come after some 85 minutes
    median_duration: float = 3 * HOUR
    duration_spread: float = 0.8  # sigma of the logarithm


class Storm(Timeline):
    """A storm, planned as a whole and then played.

    Args:
        territory: where.
        outages: whose outages.
        customers: about how many lose power in the course of it.
        seed: the same seed gives the same storm.
        speed: 60 plays an hour in a minute.
        start: when the first wind came; in the past for a storm that is under way already.
        spare: rows that it leaves alone.
        profile: how often things happen.
    """

    def __init__(
        self, territory: Territory, outages: Outages, *, customers: int, seed: int, speed: float, start: datetime,
        spare: set[int] | None = None, profile: Profile | None = None,
    ) -> None:  # fmt: skip
        super().__init__(outages, start, speed)
        self.territory, self.profile = territory, profile or Profile()
        self.seed, self.customers = seed, min(customers, int(territory.size * 0.9))
        self._rng = np.random.default_rng(seed)
        self._spare = np.array(sorted(spare or ()), dtype=np.int64)
        self._live: dict[int, SimOutage] = {}
        self._plan: list[Step] = []
        self._keys = 0
        self._by_section: dict[int, list[tuple[int, float, float]]] = {}
        self._plan_all()
        self.load(self._plan)

    def stop(self) -> None:
        """The storm is over: what it broke is repaired at once and nothing more happens."""
        self._next = len(self._steps)
        for outage in list(self.outages):
            if outage.origin == "storm":
                self.outages.show(outage)
                self.outages.restore(outage)

    # planning

    def _plan_all(self) -> None:
        profile, rng = self.profile, self._rng
        levels, weights = list(profile.levels), np.array(list(profile.levels.values()))
        covered = np.zeros(self.territory.size, dtype=bool)
        covered[self._spare] = True
        base = int(covered.sum())
        while (missing := self.customers - (int(covered.sum()) - base)) > 0:
            level = levels[int(rng.choice(len(levels), p=weights / weights.sum()))]
            device = Device(level, int(rng.integers(self.territory.device_count(level))))
            rows = self._part_of(device)
            if len(rows) == 0 or (len(rows) > 1.3 * missing and level > Level.SECTION):
                continue
            covered[rows] = True
            at = 0.0 if self._keys == 0 else float(rng.gamma(2.0, profile.arrival_scale))
            self._plan_outage(device, rows, at, self._duration(level))

    def _part_of(self, device: Device) -> Ints:
        rows = self.territory.rows(device)
        if device.level >= Level.SECTION:  # the fault is somewhere along it: what lies behind goes out
            rows = rows[int(len(rows) * self._rng.uniform(0.0, 0.8)) :]
        return np.setdiff1d(rows, self._spare, assume_unique=True)

    def _duration(self, level: Level) -> float:
        profile = self.profile
        median = profile.median_duration * (1.0 + 0.25 * float(level))
        return float(np.clip(self._rng.lognormal(np.log(median), profile.duration_spread), 20 * MINUTE, 40 * HOUR))

    def _at(self, at: float, act: Callable[[], None]) -> None:
        self._plan.append(Step(at, len(self._plan), act))

    def _change(self, at: float, key: int, **fields: Any) -> None:
        def act() -> None:
            outage = self._live.get(key)
            if outage is not None and outage.completed is None and outage.id in self.outages.by_id:
                self.outages.change(outage, **fields)

        self._at(at, act)

    def _on(self, at: float, key: int, act: Callable[[SimOutage], None]) -> None:
        def guarded() -> None:
            outage = self._live.get(key)
            if outage is not None and outage.completed is None and outage.id in self.outages.by_id:
                act(outage)

        self._at(at, guarded)

    def _happens(self, share: float) -> bool:
        return bool(self._rng.random() < share)

    def _plan_outage(self, device: Device, rows: Ints, at: float, lasts: float, nested: bool = False) -> int:
        key, rng, profile = self._keys, self._rng, self.profile
        self._keys += 1
        end = at + lasts
        large = device.level >= Level.SECTION
        cause, code = CAUSES[int(rng.choice(len(CAUSES), p=(0.5, 0.25, 0.13, 0.07, 0.05)))]
        knows_cause = at + lasts * float(rng.uniform(0.2, 0.6))
        first = "ASSESSING" if self._happens(0.4) else "NONE"

        def begin() -> None:
            self._live[key] = self.outages.open(
                device, rows, origin="storm", etr_class=first, status="Confirmed" if large else "Assumed"
            )

        self._at(at, begin)
        self._change(knows_cause, key, cause=cause, cause_code=code, status="Confirmed")
        self._plan_crew(key, at, lasts)
        if self._happens(profile.etr_by_level[device.level]):
            self._plan_etr(key, at, lasts)
        if self._happens(profile.vanishes) and not nested:
            gone = at + lasts * 0.4
            self._on(gone, key, self.outages.hide)
            self._on(min(gone + float(rng.uniform(10, 40)) * MINUTE, end - 1), key, self.outages.show)
        if self._happens(profile.grows):
            self._on(at + lasts * 0.15, key, self._grow)
        if large:
            self._plan_large(key, device, rows, at, lasts)
        elif device.level is Level.TRANSFORMER:
            self._plan_merge(key, device, at, end)
        self._on(end, key, self.outages.restore)
        return key

    def _plan_crew(self, key: int, at: float, lasts: float) -> None:
        marks = np.sort(self._rng.uniform(0.05, 0.75, 3)) * lasts + at
        for moment, crew in zip(marks, ("ASSIGNED", "EN_ROUTE", "ON_SITE"), strict=True):
            self._change(float(moment), key, crew=crew)
        if self._happens(self.profile.crew_regresses):
            rest = at + lasts - marks[2]
            again = ("SUSPENDED", "NONE", "ASSIGNED", "EN_ROUTE", "ON_SITE")
            for share, crew in zip((0.15, 0.3, 0.6, 0.7, 0.8), again, strict=True):
                self._change(float(marks[2] + rest * share), key, crew=crew)

    def _plan_etr(self, key: int, at: float, lasts: float) -> None:
        rng, profile = self._rng, self.profile
        end = at + lasts
        told = at + lasts * float(rng.uniform(0.0, 0.5))
        if self._happens(profile.past_when_published):
            etr = told - float(rng.uniform(5, 90)) * MINUTE
        else:
            # Cleared minus first restoration time in the feeds: p10 -10.7 h, p50 -0.9 h, p90 +3.5 h.
            late = self._happens(0.36)
            error = -float(rng.exponential(1.5)) if late else float(rng.exponential(3.0))
            etr = max(told + 15 * MINUTE, end + error * HOUR)
        early = "AREA" if self._happens(0.6) else "STATISTICAL"
        public = not self._happens(profile.not_public)
        self._tell(told, key, etr, early if etr > told else "CREW", public)
        if self._happens(profile.withdrawn):
            taken = told + (end - told) * float(rng.uniform(0.2, 0.6))
            self._change(taken, key, etr=None, etr_class="ASSESSING", etr_withdrawn=True)
            return
        last, told_last = etr, told
        if self._happens(profile.second_etr):
            told_last = told + (end - told) * float(rng.uniform(0.3, 0.7))
            if self._happens(profile.earlier):
                last = told_last + max(0.2 * (etr - told_last), 10 * MINUTE)
            else:
                last = max(etr, end + float(rng.normal(0.4, 0.6)) * HOUR, told_last + 10 * MINUTE)
            self._tell(told_last, key, last, "CREW", public)
        passed = max(last, told_last) + float(rng.uniform(5, 40)) * MINUTE
        if last < end and passed < end and self._happens(profile.marked_expired):
            self._change(passed, key, etr_class="EXPIRED")

    def _tell(self, at: float, key: int, etr: float, etr_class: str, public: bool) -> None:
        moment = self.when(etr)
        if self.speed == 1:  # shrunken times would be lost in the rounding
            moment = to_quarter(moment, up=etr > at)
        self._change(at, key, etr=moment, etr_class=etr_class, etr_withdrawn=False, show_etr=public)

    def _plan_large(self, key: int, device: Device, rows: Ints, at: float, lasts: float) -> None:
        rng, profile = self._rng, self.profile
        if self._happens(profile.partly_restored):
            left = float(rng.uniform(0.2, 0.7))
            self._on(at + lasts * float(rng.uniform(0.4, 0.8)), key, lambda outage: self._shrink(outage, left))
        if self._happens(profile.nested) and len(rows):
            level = Level.TRANSFORMER if self._happens(0.6) else Level.SERVICE
            inner = self.territory.device_of(int(rng.choice(rows)), level)
            inside = np.intersect1d(self.territory.rows(inner), rows)
            self._plan_outage(inner, inside, at + lasts * 0.4, lasts * float(rng.uniform(0.7, 1.2)), nested=True)
        if self._happens(profile.splits):
            self._on(at + lasts * 0.55, key, lambda outage: self._split(outage, key, at + lasts))

    def _plan_merge(self, key: int, device: Device, at: float, end: float) -> None:
        section = device.index // 12
        for other, began, ends in self._by_section.get(section, ()):
            both = max(at, began) + 20 * MINUTE
            if both < min(end, ends):
                self._on(both, key, lambda outage, other=other: self._merge(outage, other))  # type: ignore[misc]
                break
        else:
            if self._happens(self.profile.merges * 10):  # so that about that share finds a neighbour
                self._by_section.setdefault(section, []).append((key, at, end))

    # playing

    def _grow(self, outage: SimOutage) -> None:
        """Half as many more, next to those who are out: the OMS has understood that a larger device is open."""
        if not len(outage.members):
            return
        last = int(outage.members[-1])
        more = np.arange(last + 1, min(last + 2 + len(outage.members) // 2, self.territory.size), dtype=np.int64)
        self.outages.set_members(outage, np.union1d(outage.members, np.setdiff1d(more, self._spare)))

    def _shrink(self, outage: SimOutage, left: float) -> None:
        self.outages.set_members(outage, outage.members[: max(1, int(len(outage.members) * left))])

    def _merge(self, outage: SimOutage, other_key: int) -> None:
        other = self._live.get(other_key)
        if other is not None and other.active and outage.active and other is not outage:
            self.outages.absorb(outage, other)

    def _split(self, outage: SimOutage, key: int, end: float) -> None:
        if not outage.active or len(outage.members) < 4:
            return
        half = len(outage.members) // 2
        parts = [outage.members[:half], outage.members[half:]]
        devices = [self.territory.device_of(int(rows[0]), Level.SECTION) for rows in parts]
        first, second = self.outages.replace(outage, list(zip(devices, parts, strict=True)))
        self._live[key] = first
        moment = self.when(end + 1.5 * HOUR)
        other = self._keys = self._keys + 1
        self._live[other] = second
        later = Step((moment - self.start).total_seconds() * self.speed, len(self._plan), lambda: self._end(second))
        self._plan.append(later)
        self._insert(later)

    def _end(self, outage: SimOutage) -> None:
        if outage.id in self.outages.by_id:
            self.outages.restore(outage)

    def _insert(self, step: Step) -> None:
        rest = sorted([*self._steps[self._next + 1 :], step])
        self._steps[self._next + 1 :] = rest


def storm_start(now: datetime, head_start_minutes: float, speed: float) -> datetime:
    """When a storm began that is under way for this long by its own time."""
    return now - timedelta(minutes=head_start_minutes / speed)
