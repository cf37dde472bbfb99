from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot import worker
from bot.app import WORKER_ALIVE, Parts, build
from bot.switchboard.emergency import PARKED, EmergencyDesk
from bot.switchboard.journal import Journal
from bot.switchboard.models import Turn
from integrations.base.settings import Settings
from integrations.oms.models import TroubleReport
from integrations.records.database import upgrade
from tests.fakes.gateway import FakePhoneBook, FakePremise, settings_for, until
from tests.fakes.guard import FoundEmergency, WordGuard, word_script
from tests.fakes.rasa import FakeRasa
from tests.fakes.redis_server import RedisServer

pytestmark = pytest.mark.service

TURN = Turn("c1", "t1", "web", "I smell gas", datetime(2026, 3, 5, tzinfo=UTC), phone="+12075550101")


@pytest.fixture
async def settings(redis_server: RedisServer, rasa: FakeRasa, tmp_path: Path) -> Settings:
    made = settings_for(redis_server, rasa, tmp_path)
    await upgrade(made.database_url)
    return made


def parts_of(settings: Settings) -> Parts:
    return build(settings, WordGuard(), word_script, FakePhoneBook())


@dataclass
class BrokenReports:
    seen: list[TroubleReport] = field(default_factory=list)

    async def submit(self, report: TroubleReport) -> None:
        self.seen.append(report)
        raise OSError("the disk is full")


async def test_a_worker_says_that_it_lives_and_stops_cleanly(settings: Settings) -> None:
    before = set(asyncio.all_tasks())
    parts, stop = parts_of(settings), asyncio.Event()
    await parts.redis.flushdb()
    running = asyncio.create_task(worker.run(settings, stop, parts))
    watch = build(settings, WordGuard(), word_script, FakePhoneBook())

    async def alive() -> bool:
        return bool(await watch.redis.exists(WORKER_ALIVE))

    await until(alive)
    stop.set()
    await asyncio.wait_for(running, 15)
    assert not await alive()
    await watch.aclose()
    left = {task for task in asyncio.all_tasks() - before if not task.done()}
    assert not left


async def test_an_urgent_report_that_the_database_refuses_is_parked_and_brought_in_later(settings: Settings) -> None:
    parts = parts_of(settings)
    await parts.redis.flushdb()
    book = FakePhoneBook({"+12075550101": [FakePremise("SP1", "100")]})
    broken = BrokenReports()
    desk = EmergencyDesk(broken, book, parts.redis, Journal(parts.redis))
    desk.report(TURN, FoundEmergency("gas_leak"), "I smell gas")
    await desk.finish()
    assert await parts.redis.xlen(PARKED) == 1
    assert await worker.bring_in_parked(parts) == 1
    assert await worker.bring_in_parked(parts) == 0
    kept = await parts.reports.rows.get("c1:gas_leak")
    assert kept is not None
    assert (kept.service_point_id, kept.account_number, kept.phone) == ("SP1", "100", "+12075550101")
    assert (kept.priority, kept.note) == ("Urgent", "I smell gas")
    await parts.aclose()


async def test_what_is_parked_and_cannot_be_read_does_not_stop_the_rest(settings: Settings) -> None:
    parts = parts_of(settings)
    await parts.redis.flushdb()
    await parts.redis.xadd(PARKED, {"report": "not json"})
    await parts.redis.xadd(PARKED, {"other": "x"})
    assert await worker.bring_in_parked(parts) == 0
    assert await parts.redis.xlen(PARKED) == 0
    await parts.aclose()


async def test_an_urgent_report_waits_for_nobody_s_customer_system(settings: Settings) -> None:
    parts = parts_of(settings)
    desk = EmergencyDesk(parts.reports, FakePhoneBook(hang=True), parts.redis, Journal(parts.redis), budget=0.05)
    desk.report(TURN, FoundEmergency("downed_wire"), "wire down")
    await asyncio.wait_for(desk.finish(), 10)
    assert await parts.reports.rows.get("c1:downed_wire") is not None
    await parts.aclose()
