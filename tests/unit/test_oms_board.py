"""Look-ups: what is answered from where, with an OMS that answers, is slow, or is gone."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import shapely

from integrations.cis.models import Premise
from integrations.gis.arcgis import Feature, GisUnavailable
from integrations.oms.board import OutageBoard
from integrations.oms.models import CrewStatus, EtrClass, Event, LocationEvent, Outage, OutageStatus
from tests.fakes.oms import FakeOms

pytestmark = pytest.mark.unit

T0 = datetime(2026, 1, 20, 12, 0, tzinfo=UTC)
HOUSE = Premise("SP1", "100", "M1", "1 Gull Way", lat=44.60, lon=-67.90)
BARN = Premise("SP2", "100", "M2", "2 Gull Way", lat=44.70, lon=-67.80)


class FakeLayer:
    def __init__(self, *features: Feature) -> None:
        self.features = list(features)
        self.down = False

    async def query(self) -> list[Feature]:
        if self.down:
            raise GisUnavailable("slow")
        return self.features

    async def aclose(self) -> None:
        return None


class Clock:
    def __init__(self) -> None:
        self.now = T0

    def __call__(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return self.now.timestamp()


def outage(outage_id: str = "A", **fields: Any) -> Event:
    values: dict[str, Any] = {"status": OutageStatus.CONFIRMED, "started_at": T0, "customers_out": 1} | fields
    return Event("outage", outage_id, T0, outage=Outage(outage_id, **values))


def affected(outage_id: str = "A", *points: str) -> Event:
    return Event("affected", outage_id, T0, service_points=points or ("SP1",))


def make(clock: Clock, oms: FakeOms, layer: FakeLayer | None = None) -> OutageBoard:
    return OutageBoard(oms, None, layer, now=clock, monotonic=clock.monotonic)  # type: ignore[arg-type]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def oms() -> FakeOms:
    fake = FakeOms()
    fake.listed, fake.members = [outage()], {"A": affected()}
    return fake


async def test_a_known_premise_in_a_fresh_board_costs_no_call(clock: Clock, oms: FakeOms) -> None:
    board = make(clock, oms)
    assert await board.refresh()
    calls = len(oms.calls)
    view = await board.lookup(HOUSE)
    assert (view.status, view.source, view.as_of) == (OutageStatus.CONFIRMED, "board", T0)
    assert board.peek(HOUSE) == view
    assert len(oms.calls) == calls


async def test_a_premise_that_is_not_listed_is_asked_for_once(clock: Clock, oms: FakeOms) -> None:
    board = make(clock, oms)
    await board.refresh()
    oms.locations["SP2"] = LocationEvent(True, OutageStatus.NON_PAY)
    view, again = await board.lookup(BARN), await board.lookup(BARN)
    assert (view.status, view.outage, view.source) == (OutageStatus.NON_PAY, None, "live")
    assert again == view
    assert oms.calls.count("location_event") == 1


async def test_many_who_ask_for_one_premise_share_one_call(clock: Clock, oms: FakeOms) -> None:
    board = make(clock, oms)
    oms.gate = asyncio.Event()
    asking = [asyncio.create_task(board.lookup(BARN)) for _ in range(20)]
    await oms.asked.wait()
    oms.gate.set()
    views = await asyncio.gather(*asking)
    assert {view.status for view in views} == {OutageStatus.NO_OUTAGE}
    assert oms.calls == ["location_event"]
    await board.stop()


async def test_one_who_leaves_does_not_take_the_answer_from_the_others(clock: Clock, oms: FakeOms) -> None:
    board = make(clock, oms)
    oms.gate = asyncio.Event()
    first, second = asyncio.create_task(board.lookup(BARN)), asyncio.create_task(board.lookup(BARN))
    await oms.asked.wait()
    first.cancel()
    oms.gate.set()
    assert (await second).source == "live"


async def test_a_live_answer_joins_what_the_board_knows_of_the_outage(clock: Clock, oms: FakeOms) -> None:
    board = make(clock, oms)
    oms.listed = [outage(cause="severe weather", etr=T0 + timedelta(hours=2), etr_class=EtrClass.CREW)]
    await board.refresh()
    oms.locations["SP2"] = LocationEvent(True, OutageStatus.CONFIRMED, "A", CrewStatus.ON_SITE)
    view = await board.lookup(BARN)
    assert view.outage is not None
    assert (view.outage.cause, view.outage.crew, view.source) == ("severe weather", CrewStatus.ON_SITE, "live")
    assert (view.outage.etr, view.outage.etr_withdrawn, view.outage.etr_class) == (None, True, EtrClass.ASSESSING)
    assert (await board.lookup(BARN)).source == "board"


async def test_an_old_board_asks_first_and_then_answers_with_its_age(clock: Clock, oms: FakeOms) -> None:
    board = make(clock, oms)
    await board.refresh()
    clock.now += timedelta(minutes=30)
    oms.locations["SP1"] = LocationEvent(True, OutageStatus.RESTORED, "A")
    assert (await board.lookup(HOUSE)).status is OutageStatus.RESTORED
    oms.down = True
    clock.now += timedelta(minutes=1)
    house, barn = await board.lookup(HOUSE), await board.lookup(BARN)
    assert (house.status, house.source, house.as_of) == (OutageStatus.CONFIRMED, "board", T0)
    # Being unlisted in an old list means nothing.
    assert (barn.status, barn.outage) == (OutageStatus.UNKNOWN, None)


async def test_nothing_known_and_a_dead_oms_says_so(clock: Clock, oms: FakeOms) -> None:
    oms.down = True
    board = make(clock, oms)
    assert not await board.refresh()
    view = await board.lookup(HOUSE)
    assert (view.status, view.source, view.outage) == (OutageStatus.UNKNOWN, "none", None)


async def test_work_planned_for_tomorrow_does_not_explain_the_dark_of_today(clock: Clock, oms: FakeOms) -> None:
    board = make(clock, oms)
    oms.listed = [outage(status=OutageStatus.SCHEDULED, started_at=T0 + timedelta(days=1), planned=True)]
    await board.refresh()
    oms.locations["SP1"] = LocationEvent(True, OutageStatus.SCHEDULED, "A")
    asked = await board.lookup(HOUSE)
    assert asked.outage is not None
    assert (asked.status, asked.source, asked.outage.planned) == (OutageStatus.SCHEDULED, "live", True)
    oms.locations["SP1"] = LocationEvent(True, OutageStatus.ASSUMED, "B")
    clock.now += timedelta(seconds=10)
    assert (await board.lookup(HOUSE)).status is OutageStatus.ASSUMED
    oms.down = True
    clock.now += timedelta(seconds=10)
    assert (await board.lookup(HOUSE)).status is OutageStatus.SCHEDULED


async def test_a_failure_that_nobody_foresaw_still_answers(clock: Clock, oms: FakeOms) -> None:
    board = make(clock, oms)
    await board.refresh()
    oms.locations["SP2"] = None  # type: ignore[assignment]
    assert (await board.lookup(BARN)).status is OutageStatus.NO_OUTAGE


async def test_an_id_that_vanished_and_was_restored_is_restored(clock: Clock, oms: FakeOms) -> None:
    board = make(clock, oms)
    await board.refresh()
    clock.now += timedelta(seconds=30)
    oms.listed = []
    oms.ended["A"] = Event("outage", "A", clock.now, outage=Outage("A", OutageStatus.RESTORED, updated_at=clock.now))
    await board.refresh()
    assert (await board.lookup(HOUSE)).status is OutageStatus.RESTORED


async def test_an_id_that_only_vanished_is_not_called_restored(clock: Clock, oms: FakeOms) -> None:
    board = make(clock, oms)
    await board.refresh()
    clock.now += timedelta(seconds=30)
    oms.listed = []
    await board.refresh()
    oms.down = True
    view = await board.lookup(HOUSE)
    assert (view.status, view.source, view.as_of) == (OutageStatus.CONFIRMED, "board", clock.now)


async def test_a_premise_inside_an_outage_area_is_assumed_out_when_the_oms_is_silent(
    clock: Clock, oms: FakeOms
) -> None:
    layer = FakeLayer(
        Feature({"OUTAGE_ID": "A", "CUSTOMERS_OUT": 40}, shapely.box(-67.85, 44.65, -67.75, 44.75)),
        Feature({"OUTAGE_ID": "B"}, None),
    )
    board = make(clock, oms, layer)
    await board.refresh()
    oms.down = True
    view = await board.lookup(BARN)
    assert view.outage is not None
    assert (view.status, view.outage.outage_id) == (OutageStatus.ASSUMED, "A")


async def test_the_area_around_a_place_is_summed_up(clock: Clock, oms: FakeOms) -> None:
    layer = FakeLayer(
        Feature({"OUTAGE_ID": "A", "CUSTOMERS_OUT": 40}, shapely.box(-67.905, 44.595, -67.895, 44.605)),
        Feature({"OUTAGE_ID": "far", "CUSTOMERS_OUT": 9}, shapely.box(-66, 44, -65.9, 44.1)),
    )
    board = make(clock, oms, layer)
    assert not board.area_summary(44.6, -67.9, 2000).known
    oms.listed = [outage(customers_out=40, etr=T0 + timedelta(hours=1), etr_class=EtrClass.AREA)]
    await board.refresh()
    summary = board.area_summary(44.6, -67.9, 2000)
    assert (summary.known, summary.outages, summary.customers_out, summary.latest_etr) == (
        True, 1, 40, T0 + timedelta(hours=1)
    )  # fmt: skip
    layer.down = True
    await board.refresh()
    assert board.area_summary(44.6, -67.9, 2000).outages == 1


async def test_starting_with_a_dead_oms_does_not_wait_and_stopping_leaves_nothing(clock: Clock, oms: FakeOms) -> None:
    oms.gate = asyncio.Event()
    board = make(clock, oms)
    before = asyncio.all_tasks()
    await board.start(wait_seconds=0.01)
    await board.stop()
    assert asyncio.all_tasks() == before
