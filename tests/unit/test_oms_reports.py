"""Trouble reports: exactly one ticket, whatever happens in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from integrations.oms.models import TroubleReport
from integrations.oms.reports import (
    ReportNotKept,
    TroubleReports,
    object_id_of,
    place_of,
    reference_of,
    report_key,
)
from integrations.records.database import Database, upgrade
from tests.fakes.oms import FakeOms

pytestmark = pytest.mark.unit

T0 = datetime(2026, 1, 20, 12, 0, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = T0

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def oms() -> FakeOms:
    return FakeOms()


@pytest_asyncio.fixture(loop_scope="function")
async def url(tmp_path: Path) -> str:
    address = f"sqlite+aiosqlite:///{tmp_path / 'records.db'}"
    await upgrade(address)
    return address


@pytest_asyncio.fixture(loop_scope="function")
async def db(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    yield database
    await database.close()


@pytest.fixture
def reports(db: Database, oms: FakeOms, clock: Clock) -> TroubleReports:
    return TroubleReports(db, oms, now=clock)  # type: ignore[arg-type]


def report(report_id: str = "r-1", **fields: Any) -> TroubleReport:
    values: dict[str, Any] = {"kind": "outage", "occurred_at": T0, "service_point_id": "SP1"} | fields
    return TroubleReport(report_id, **values)


async def test_a_report_is_handed_over_and_written_down(reports: TroubleReports, oms: FakeOms) -> None:
    receipt = await reports.submit(report(note="dark here", phone="+15555550142"))
    assert (receipt.state, receipt.delivered, receipt.at) == ("delivered", True, T0)
    kept = await reports.rows.get("r-1")
    assert kept is not None
    assert (kept.state, kept.note, kept.reference) == ("delivered", "dark here", receipt.reference)
    assert list(oms.tickets) == [object_id_of("r-1")]


async def test_the_same_report_again_is_already_there(reports: TroubleReports, oms: FakeOms) -> None:
    first, second = await reports.submit(report()), await reports.submit(report())
    assert (second.state, second.reference, second.delivered) == ("already", first.reference, True)
    assert oms.calls.count("report") == 1


async def test_two_processes_with_the_same_report_make_one_ticket(url: str, oms: FakeOms, clock: Clock) -> None:
    databases = [Database(url) for _ in range(6)]
    services = [TroubleReports(database, oms, now=clock) for database in databases]  # type: ignore[arg-type]
    try:
        receipts = await asyncio.gather(*(service.submit(report()) for service in services))
        await asyncio.gather(*(service.deliver_pending() for service in services))
    finally:
        for database in databases:
            await database.close()
    assert sorted(receipt.state for receipt in receipts) == ["already"] * 5 + ["delivered"]
    assert len({receipt.reference for receipt in receipts}) == 1
    assert [len(calls) for calls in oms.tickets.values()] == [1]


async def test_a_dead_oms_keeps_the_report_and_it_goes_later(
    reports: TroubleReports, oms: FakeOms, clock: Clock
) -> None:
    oms.down = True
    receipt = await reports.submit(report())
    assert (receipt.state, receipt.delivered) == ("kept", False)
    again = await reports.submit(report())
    assert (again.state, again.delivered) == ("already", False)
    assert (await reports.deliver_pending()).kept == 0
    clock.now += timedelta(seconds=10)
    assert (await reports.deliver_pending()).kept == 1
    oms.down = False
    clock.now += timedelta(minutes=10)
    assert (await reports.deliver_pending()).delivered == 1
    assert (await reports.deliver_pending()).delivered == 0
    assert [len(calls) for calls in oms.tickets.values()] == [1]


async def test_a_lost_answer_makes_no_second_ticket(reports: TroubleReports, oms: FakeOms, clock: Clock) -> None:
    oms.lose_answers = True
    assert (await reports.submit(report())).state == "kept"
    oms.lose_answers = False
    clock.now += timedelta(minutes=1)
    assert (await reports.deliver_pending()).delivered == 1
    assert list(oms.tickets) == [object_id_of("r-1")]


async def test_a_process_that_dies_between_loses_nothing(reports: TroubleReports, oms: FakeOms, clock: Clock) -> None:
    oms.gate = asyncio.Event()
    dying = asyncio.create_task(reports.submit(report()))
    await oms.asked.wait()
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    oms.gate = None
    assert (await reports.deliver_pending()).delivered == 0, "its lease still runs"
    clock.now += timedelta(minutes=1)
    assert (await reports.deliver_pending()).delivered == 1
    assert list(oms.tickets) == [object_id_of("r-1")]


async def test_two_workers_do_not_send_the_same_report(
    reports: TroubleReports, url: str, oms: FakeOms, clock: Clock
) -> None:
    oms.down = True
    for number in range(5):
        await reports.submit(report(f"r-{number}"))
    oms.down = False
    clock.now += timedelta(minutes=5)
    other_db = Database(url)
    other = TroubleReports(other_db, oms, now=clock)  # type: ignore[arg-type]
    done = await asyncio.gather(reports.deliver_pending(), other.deliver_pending())
    await other_db.close()
    assert sum(one.delivered for one in done) == 5
    assert [len(calls) for calls in oms.tickets.values()] == [1] * 5


async def test_urgent_reports_go_first(reports: TroubleReports, oms: FakeOms, clock: Clock) -> None:
    oms.down = True
    await reports.submit(report("r-1"))
    clock.now += timedelta(seconds=1)
    await reports.submit(report("r-2", kind="gas_leak", priority="Urgent"))
    oms.down = False
    clock.now += timedelta(minutes=5)
    await reports.deliver_pending()
    assert list(oms.tickets) == [object_id_of("r-2"), object_id_of("r-1")]


async def test_a_refused_report_is_kept_and_tried_again_and_does_not_hold_the_others(
    reports: TroubleReports, oms: FakeOms, clock: Clock
) -> None:
    oms.refuse = "the location is not known"
    assert (await reports.submit(report())).state == "kept"
    assert await reports.rows.count() == {"rejected": 1}
    oms.refuse = ""
    clock.now += timedelta(minutes=16)
    assert (await reports.deliver_pending()).delivered == 1


async def test_without_a_database_the_oms_still_gets_the_report(oms: FakeOms, clock: Clock, tmp_path: Path) -> None:
    broken = Database(f"sqlite+aiosqlite:///{tmp_path / 'never_upgraded.db'}")
    reports = TroubleReports(broken, oms, now=clock)  # type: ignore[arg-type]
    try:
        assert (await reports.submit(report())).state == "delivered"
        assert await reports.key("outage", service_point_id="SP1")
        oms.down = True
        with pytest.raises(ReportNotKept):
            await reports.submit(report("r-2"))
    finally:
        await broken.close()


async def test_a_repeat_within_the_episode_has_the_same_key(reports: TroubleReports, clock: Clock) -> None:
    first = await reports.key("outage", service_point_id="SP1")
    clock.now += timedelta(hours=11)
    assert await reports.key("outage", service_point_id="SP1") == first
    assert await reports.key("partial", service_point_id="SP1") != first
    assert await reports.key("outage", service_point_id="SP2") != first
    clock.now += timedelta(hours=1, seconds=1)
    second = await reports.key("outage", service_point_id="SP1")
    assert second != first
    await reports.end_episode("SP1")
    clock.now += timedelta(seconds=1)
    assert await reports.key("outage", service_point_id="SP1") != second


async def test_power_that_came_back_and_went_again_is_a_new_report(reports: TroubleReports, clock: Clock) -> None:
    first = await reports.key("outage", service_point_id="SP1")
    back = T0 + timedelta(hours=2)
    clock.now += timedelta(hours=3)
    second = await reports.key("outage", service_point_id="SP1", restored_at=back)
    clock.now += timedelta(minutes=5)
    assert second != first
    assert await reports.key("outage", service_point_id="SP1", restored_at=back) == second


async def test_processes_that_ask_at_once_agree_on_the_episode(url: str, oms: FakeOms) -> None:
    databases = [Database(url) for _ in range(5)]
    services = [TroubleReports(database, oms) for database in databases]  # type: ignore[arg-type]
    keys = await asyncio.gather(*(one.key("outage", address="12 Gull Way, Apt 3") for one in services))
    for database in databases:
        await database.close()
    assert len(set(keys)) == 1


async def test_an_emergency_an_hour_later_is_a_new_one(reports: TroubleReports, clock: Clock) -> None:
    first = await reports.key("gas_leak", service_point_id="SP1")
    clock.now += timedelta(minutes=61)
    assert await reports.key("gas_leak", service_point_id="SP1") != first


def test_a_place_is_the_same_however_it_is_written() -> None:
    assert place_of("", "12 Gull Way, Apt. 3") == place_of("", " 12  gull way  apt 3 ")
    assert place_of("", "", "+15555550142") != place_of("", "", "+15555550143")
    with pytest.raises(ValueError):
        place_of()
    with pytest.raises(ValueError):
        report_key("  ", "outage", "e")


def test_references_are_short_and_differ() -> None:
    references = {reference_of(f"r-{number}") for number in range(2000)}
    assert len(references) > 1995
    assert all(len(one) == 9 and one[0] in "AFHJKQRXY" for one in references)


async def test_a_reference_that_is_taken_gives_way(reports: TroubleReports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "integrations.oms.reports.reference_of",
        lambda report_id, attempt=0: "A-000-000" if attempt == 0 else reference_of(report_id, attempt),
    )
    first, second = await reports.submit(report("r-1")), await reports.submit(report("r-2"))
    assert first.reference == "A-000-000"
    assert second.reference != first.reference
