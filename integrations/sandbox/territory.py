"""The fictional service area: every service point, its customer, and the network that feeds it.

The network is a tree and the service points are numbered along it, so the customers behind any device are one
range of numbers; that is why outages nest and why fifty thousand service points exist in a fraction of a second.

    substation (one a town) > 6 feeders > 12 sections each > 12 transformers each > about 8 service points
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from .names import FIRST_NAMES, LAST_NAMES, street_name, town_name

SECTION, FEEDER, SUBSTATION = 12, 144, 864  # transformers in each
COLUMNS, ROWS = 24, 36  # a town's street grid, in blocks; a block is one transformer
PER_TRANSFORMER = 8
LAT0, LON0 = 44.6, -67.9
BLOCK_LAT, BLOCK_LON = 90 / 111_320, 120 / 79_260  # metres to degrees at this latitude
DEMO_NPA, UTILITY_NPA = 207, 555

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Level(IntEnum):
    """How far upstream a device is."""

    SERVICE = 0
    TRANSFORMER = 1
    SECTION = 2
    FEEDER = 3
    SUBSTATION = 4


SPAN = {Level.TRANSFORMER: 1, Level.SECTION: SECTION, Level.FEEDER: FEEDER, Level.SUBSTATION: SUBSTATION}


@dataclass(frozen=True, slots=True)
class Device:
    """A piece of the network. ``index`` counts devices of its level; at SERVICE level it is the service point."""

    level: Level
    index: int


@dataclass(frozen=True, slots=True)
class Override:
    """What a hand-made customer has instead of the generated values. The phone is ``None`` when not on file."""

    name: str
    phone: str | None
    number: int
    street: str
    nickname: str = ""
    life_support: bool = False
    non_pay: bool = False
    customer_row: int = -1


@dataclass(frozen=True, slots=True)
class ServicePoint:
    """One meter at one address, with its customer. ``row`` is its number in the network's order."""

    row: int
    id: str
    account_number: str
    meter_id: str
    number: int
    street: str
    town: str
    unit: str
    nickname: str
    lat: float
    lon: float
    customer_id: str
    name: str
    phones: tuple[str, ...]
    life_support: bool
    non_pay: bool

    @property
    def address(self) -> str:
        """One line, without the unit."""
        return f"{self.number} {self.street}, {self.town}"


def luhn_digits(values: Ints, width: int) -> Ints:
    """Check digits by ISO/IEC 7812 (Luhn) for numbers of ``width`` digits, the check digit not included."""
    total = np.zeros(len(values), dtype=np.int64)
    rest = values.copy()
    for place in range(width):
        digit = rest % 10
        rest //= 10
        if place % 2 == 0:
            digit = digit * 2
            digit = np.where(digit > 9, digit - 9, digit)
        total += digit
    return (10 - total % 10) % 10


def phone_pool() -> list[int]:
    """The area codes that generated customers may have: no N11, not the demo's, not the utility's own."""
    return [npa for npa in range(200, 1000) if npa % 100 != 11 and npa not in (DEMO_NPA, UTILITY_NPA)]


class Territory:
    """All service points of the fictional utility, the same for the same seed and size."""

    def __init__(self, seed: int, size: int, overrides: dict[int, Override] | None = None) -> None:
        if size < 1:
            raise ValueError("a territory needs at least one service point")
        self.seed, self.size = seed, size
        self.overrides = overrides or {}
        rng = np.random.default_rng(seed)
        self._network(rng)
        self._places(rng)
        self._people(rng)

    def _network(self, rng: np.random.Generator) -> None:
        transformers = max(1, -(-self.size // PER_TRANSFORMER))
        counts = np.clip(rng.poisson(PER_TRANSFORMER, transformers), 2, 16).astype(np.int64)
        while (gap := self.size - int(counts.sum())) != 0:
            step = 1 if gap > 0 else -1
            room = np.flatnonzero(counts < 18) if gap > 0 else np.flatnonzero(counts > 1)
            counts[rng.choice(room, min(abs(gap), len(room)), replace=False)] += step
        self.offsets: Ints = np.concatenate(([0], np.cumsum(counts)))
        self.transformer: Ints = np.repeat(np.arange(transformers, dtype=np.int64), counts)
        self.slot: Ints = np.arange(self.size, dtype=np.int64) - self.offsets[self.transformer]
        self.apartments = rng.random(transformers) < 0.08
        self.transformers = transformers

    def _places(self, rng: np.random.Generator) -> None:
        transformer = np.arange(self.transformers, dtype=np.int64)
        town, inside = transformer // SUBSTATION, transformer % SUBSTATION
        feeder, section, cell = inside // FEEDER, inside % FEEDER // SECTION, inside % SECTION
        # feeders 2 x 3, sections 3 x 4 in each, blocks 4 x 3 in each: 24 columns and 36 rows a town
        column = feeder % 2 * 12 + section % 3 * 4 + cell % 4
        row = feeder // 2 * 12 + section // 3 * 3 + cell // 4
        along_row = (inside // SECTION) % 2 == 0
        self.towns = [town_name(index) for index in range(int(town[-1]) + 1)]
        street = town * (COLUMNS + ROWS) + np.where(along_row, row, ROWS + column)
        self.streets = [street_name(index) for index in range(len(self.towns) * (COLUMNS + ROWS))]
        block = np.where(along_row, column, row)

        t, slot = self.transformer, self.slot
        flats = self.apartments[t]
        self.town: Ints = town[t]
        self.street: Ints = street[t]
        self.number: Ints = 100 * (block[t] + 1) + np.where(flats, 10, 4 + 5 * slot)
        self.unit: Ints = np.where(flats, slot + 1, 0)
        across = np.where(flats, 0.5, 0.06 + 0.9 * (slot + 0.5) / 18) + rng.normal(0, 0.004, self.size)
        set_back = np.where(flats, 0.3, np.where(slot % 2 == 0, 0.22, -0.22)) + rng.normal(0, 0.03, self.size)
        east = np.where(along_row[t], column[t] + across, column[t] + 0.5 + set_back)
        north = np.where(along_row[t], row[t] + 0.5 + set_back, row[t] + across)
        # The towns stand in a line along the coast, ten abreast, with half a town between them.
        east = east + (self.town % 10) * COLUMNS * 1.5
        north = north + (self.town // 10) * ROWS * 1.5
        self.lon: Floats = np.round(LON0 + east * BLOCK_LON, 6)
        self.lat: Floats = np.round(LAT0 + north * BLOCK_LAT, 6)

    def _people(self, rng: np.random.Generator) -> None:
        rows = np.arange(self.size, dtype=np.int64)
        # One in sixty has a second premise: that row belongs to the customer of an earlier row.
        self.customer: Ints = rows.copy()
        second = np.flatnonzero((rng.random(self.size) < 1 / 60) & (rows % 2 == 1))
        if len(second):
            self.customer[second] = (rng.integers(0, second // 2 + 1)) * 2
        for row, override in self.overrides.items():
            self.customer[row] = override.customer_row if override.customer_row >= 0 else row
        stolen = np.isin(self.customer, list(self.overrides)) & ~np.isin(rows, list(self.overrides))
        self.customer[stolen] = rows[stolen]
        base = (rows * 715_827_883 + 11 * (self.seed % 1_000_003)) % 900_000_000 + 100_000_000
        self.account: Ints = base * 10 + luhn_digits(base, 9)
        pool = np.array(phone_pool(), dtype=np.int64)
        numbers = (10_000_000_000 + pool[:, None] * 10_000_000 + 5_550_100 + np.arange(100)).ravel()
        drawn = rng.permutation(numbers)[: self.size]
        self.phone: Ints = np.zeros(self.size, dtype=np.int64)  # by customer row; 0 = none on file
        self.phone[: len(drawn)] = drawn
        for row, override in self.overrides.items():
            self.phone[row] = int(override.phone[1:]) if override.phone else 0
        self.phone[self.customer != rows] = 0
        self.first: Ints = rng.integers(0, len(FIRST_NAMES), self.size)
        self.last: Ints = rng.integers(0, len(LAST_NAMES), self.size)
        self.life_support = rng.random(self.size) < 0.004
        self.non_pay = rng.random(self.size) < 0.001
        for row, override in self.overrides.items():
            self.life_support[row], self.non_pay[row] = override.life_support, override.non_pay

    # the network

    def rows(self, device: Device) -> Ints:
        """The service points behind a device, in order."""
        if device.level is Level.SERVICE:
            return np.array([device.index], dtype=np.int64)
        span = SPAN[device.level]
        first, last = device.index * span, min((device.index + 1) * span, self.transformers)
        return np.arange(self.offsets[first], self.offsets[last], dtype=np.int64)

    def device_of(self, row: int, level: Level) -> Device:
        """The device of a level that feeds a service point."""
        if level is Level.SERVICE:
            return Device(level, row)
        return Device(level, int(self.transformer[row]) // SPAN[level])

    def device_count(self, level: Level) -> int:
        """How many devices of a level there are."""
        return self.size if level is Level.SERVICE else -(-self.transformers // SPAN[level])

    def labels(self, device: Device) -> tuple[str, str, str]:
        """The utility's own names: device, feeder, substation. Never for customers (NERC CIP-011)."""
        first = (
            int(self.transformer[device.index]) if device.level is Level.SERVICE else device.index * SPAN[device.level]
        )
        town, feeder = first // SUBSTATION, first % SUBSTATION // FEEDER
        kind = {0: "SVC", 1: "XFMR", 2: "FUSE", 3: "CB", 4: "BUS"}[int(device.level)]
        return f"{kind}-{device.index:06d}", f"F{town + 1:02d}{feeder + 1:02d}", f"SUB{town + 1:02d}"

    # the customers

    def service_point(self, row: int) -> ServicePoint:
        """Everything about one service point.

        Raises:
            IndexError: when there is no such row.
        """
        if not 0 <= row < self.size:
            raise IndexError(row)
        owner = int(self.customer[row])
        own, account_of = self.overrides.get(row), self.overrides.get(owner)
        phone = int(self.phone[owner])
        unit = int(self.unit[row])
        return ServicePoint(
            row=row,
            id=f"SP{row + 1:06d}",
            account_number=f"{int(self.account[row]):010d}",
            meter_id=f"JB{40_000_000 + row:08d}",
            number=own.number if own else int(self.number[row]),
            street=own.street if own else self.streets[int(self.street[row])],
            town=self.towns[int(self.town[row])],
            unit=f"Apt {unit}" if unit and not own else "",
            nickname=own.nickname if own else "",
            lat=float(self.lat[row]),
            lon=float(self.lon[row]),
            customer_id=f"C{owner + 1:07d}",
            name=account_of.name if account_of else f"{FIRST_NAMES[self.first[owner]]} {LAST_NAMES[self.last[owner]]}",
            phones=(f"+{phone}",) if phone else (),
            life_support=bool(self.life_support[row]),
            non_pay=bool(self.non_pay[row]),
        )
