"""What an outage look-up costs: 5,000 outage areas, 1,000,000 service points. ``.venv/bin/python -m bench.outages``.

Two questions are timed. Which area is a place in (`AreaIndex`), and what is known of a premise (`OutageBoard`), both in
the one process and thread that would answer a customer. Areas and memberships are random, from a seed; the sizes are
those of a large storm: some 5,000 outages at once with 200 customers each, so every service point is in one.
Options: ``--quick`` (a tenth of everything), ``--json``, ``--write``.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import psutil
import shapely
import structlog

from bench.report import Bar, Topic, percentiles, run, table
from integrations.gis.index import Area, AreaIndex
from integrations.oms.board import OutageBoard
from integrations.oms.client import MultiSpeakOms
from integrations.oms.models import Event, Outage, OutageStatus

COMMAND = ".venv/bin/python -m bench.outages"
WEST, SOUTH, SIZE = -68.9, 44.1, 1.6
"""A square of some 125 km by 178 km."""
CORNERS = 48
NO_OMS = "http://127.0.0.1:9/?wsdl"
"""Nothing listens on the discard port: the OMS is dead."""


@dataclass(frozen=True, slots=True)
class Place:
    """What the board needs of a premise."""

    service_point_id: str
    meter_id: str
    account_number: str
    lat: float
    lon: float


def areas(count: int, rng: np.random.Generator) -> list[Area]:
    """Star-shaped areas, 0.3 to 5 km across, that overlap as real ones do."""
    angles = np.linspace(0, 2 * math.pi, CORNERS, endpoint=False)
    centres = rng.uniform((WEST, SOUTH), (WEST + SIZE, SOUTH + SIZE), (count, 2))
    radii = 0.0015 * np.exp(rng.gamma(2.0, 0.5, count))
    wobble = rng.uniform(0.5, 1.0, (count, CORNERS))
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    rings = centres[:, None, :] + (radii[:, None] * wobble)[:, :, None] * circle[None]
    shapes = np.asarray(shapely.polygons(np.concatenate([rings, rings[:, :1]], axis=1)), dtype=object)
    return [Area(f"OUT-{number}", shape, 200) for number, shape in enumerate(shapes)]


def resident_mb() -> float:
    """Resident memory of this process."""
    gc.collect()
    return float(psutil.Process().memory_info().rss) / 1e6


def timed(ask: Callable[[int], object], count: int) -> dict[str, float]:
    """Microseconds of ``ask(0) ... ask(count - 1)``."""
    spent = []
    for number in range(count):
        began = time.perf_counter_ns()
        ask(number)
        spent.append(time.perf_counter_ns() - began)
    return percentiles(spent, 1e-3)


async def timed_async(ask: Callable[[int], Awaitable[object]], count: int) -> dict[str, float]:
    """Microseconds of awaiting ``ask(0) ... ask(count - 1)``."""
    spent = []
    for number in range(count):
        began = time.perf_counter_ns()
        await ask(number)
        spent.append(time.perf_counter_ns() - began)
    return percentiles(spent, 1e-3)


def index_figures(polygons: int, points: int, asked: int) -> dict[str, Any]:
    """The spatial index alone."""
    rng = np.random.default_rng(20240927)
    shapes = areas(polygons, rng)
    lats, lons = rng.uniform(SOUTH, SOUTH + SIZE, points), rng.uniform(WEST, WEST + SIZE, points)
    before = resident_mb()
    began = time.perf_counter()
    index = AreaIndex(shapes)
    built = time.perf_counter() - began
    memory = resident_mb() - before
    one = timed(lambda number: index.at(float(lats[number]), float(lons[number])), asked)
    began = time.perf_counter()
    found = index.bulk(lats, lons)
    bulk = time.perf_counter() - began
    near = timed(lambda number: index.near(float(lats[number]), float(lons[number]), 2_000), asked // 10)
    return {
        "polygons": polygons,
        "points": points,
        "build_ms": 1000 * built,
        "one_us": one,
        "near_us": near,
        "bulk_seconds": bulk,
        "bulk_share_inside": float((found >= 0).mean()),
        "memory_mb": memory,
    }


def told(outages: int, each: int, at: datetime) -> list[Event]:
    """Everything that the OMS says of ``outages`` with ``each`` service points: what it is, and whom it affects."""
    events = []
    for number in range(outages):
        outage_id = f"OUT-{number}"
        etr = at + timedelta(hours=6)
        outage = Outage(outage_id, OutageStatus.CONFIRMED, started_at=at, etr=etr, customers_out=each, updated_at=at)
        events.append(Event("outage", outage_id, at, sequence=1, outage=outage))
        members = tuple(f"SP{number * each + member:07d}" for member in range(each))
        events.append(Event("affected", outage_id, at, sequence=1, service_points=members))
    return events


async def board_figures(outages: int, each: int, asked: int) -> dict[str, Any]:
    """The board: filling it, asking it, one more push."""
    now = datetime.now(UTC)
    before = resident_mb()
    oms = MultiSpeakOms(NO_OMS, user="bench", password="")  # never answers
    board = OutageBoard(oms, fresh_seconds=3600)
    began = time.perf_counter()
    await board.apply(told(outages, each, now))
    filled = time.perf_counter() - began
    memory = resident_mb() - before
    rng = np.random.default_rng(7)
    numbers: Sequence[int] = [int(number) for number in rng.integers(0, outages * each, asked)]
    places = [Place(f"SP{number:07d}", f"M{number:07d}", f"{number:010d}", 44.6, -67.9) for number in numbers]
    if any(board.peek(place) is None for place in places[:100]):
        raise RuntimeError("the board does not know what it was told")
    peek = timed(lambda number: board.peek(places[number]), asked)
    lookup = await timed_async(lambda number: board.lookup(places[number]), asked)
    later = now + timedelta(seconds=30)
    changed = [
        Event("outage", f"OUT-{n}", later, 2, Outage(f"OUT-{n}", OutageStatus.CONFIRMED, customers_out=each))
        for n in range(1_000)
    ]
    members = [
        Event(
            "affected",
            f"OUT-{n}",
            later,
            2,
            service_points=tuple(f"SP{n * each + m:07d}" for m in range(each // 2, each + each // 2)),
        )
        for n in range(1_000)
    ]
    push = await timed_async(lambda number: board.apply([changed[number]]), min(1_000, outages))
    push_members = await timed_async(lambda number: board.apply([members[number]]), min(1_000, outages))
    # With the OMS dead, a premise that the board does not know: the first calls fail, then the breaker answers at once.
    strangers = [Place(f"X{number}", "", f"9{number:09d}", 44.6, -67.9) for number in range(200)]
    for place in strangers[:10]:
        await board.lookup(place)
    unknown = await timed_async(lambda number: board.lookup(strangers[number]), len(strangers))
    await board.aclose()
    return {
        "outages": outages,
        "service_points": outages * each,
        "fill_seconds": filled,
        "memory_mb": memory,
        "peek_us": peek,
        "lookup_us": lookup,
        "unknown_oms_dead_us": unknown,
        "push_outage_us": push,
        "push_members_us": push_members,
        "members_a_push": each,
    }


def measure(quick: bool) -> Topic:
    """Both."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    scale = 10 if quick else 1
    asked = 20_000 // scale
    index = index_figures(5_000 // scale, 1_000_000 // scale, asked)
    board = asyncio.run(board_figures(5_000 // scale, 200, asked))
    result = {"index": index, "board": board}
    command = COMMAND + (" --quick" if quick else "")
    bars = [
        Bar("area of one place, p99", index["one_us"]["p99"], most=1_000, unit=" µs"),
        Bar("state of one premise from the board, p99", board["lookup_us"]["p99"], most=1_000, unit=" µs"),
    ]
    return Topic("outages", "Outage look-up", command, result, bars, body(index, board))


def body(index: dict[str, Any], board: dict[str, Any]) -> str:
    """The tables."""

    def line(what: str, spent: dict[str, float]) -> list[object]:
        return [what, spent["p50"], spent["p99"], spent["max"]]

    times = [
        line("which area is a place in (AreaIndex.at)", index["one_us"]),
        line("areas within 2 km of a place (AreaIndex.near)", index["near_us"]),
        line("state of a premise from the fresh board (OutageBoard.peek)", board["peek_us"]),
        line("the same by OutageBoard.lookup", board["lookup_us"]),
        line("a premise that the board does not know, OMS dead (lookup)", board["unknown_oms_dead_us"]),
        line("take a push: an outage changed", board["push_outage_us"]),
        line(f"take a push: {board['members_a_push']} service points, half of them new", board["push_members_us"]),
    ]
    return (
        "The bar is \"microseconds\" (DESIGN 6): under a thousand, also at the 99th percentile.\n\n"
        + table(["", "p50 µs", "p99 µs", "longest µs"], times)
        + "\n"
        + table(
            ["", ""],
            [
                ["areas, corners of each", f"{index['polygons']:,}, {CORNERS}"],
                ["build the index", f"{index['build_ms']:.0f} ms, {max(0.0, index['memory_mb']):.0f} MB"],
                [
                    f"area of {index['points']:,} places at once",
                    f"{index['bulk_seconds']:.2f} s, {1e6 * index['bulk_seconds'] / index['points']:.2f} µs each; "
                    f"{index['bulk_share_inside']:.0%} are in one",
                ],
                [
                    f"fill the board: {board['outages']:,} outages, {board['service_points']:,} service points",
                    f"{board['fill_seconds']:.1f} s, {board['memory_mb']:.0f} MB",
                ],
            ],
        )
    )  # fmt: skip


if __name__ == "__main__":
    run(measure)
