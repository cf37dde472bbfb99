from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.outreach.notices import OutageNotices
from bot.switchboard.journal import Journal
from integrations.base.redis import connect
from integrations.base.utility import Utility
from integrations.oms.models import EtrClass, Outage, OutageStatus
from integrations.records.contacts import ContactConsents, UpdateSubscriptions
from integrations.records.database import Database, upgrade
from integrations.twilio.client import TwilioMessages
from integrations.twilio.sent import RedisSentLog
from tests.fakes.redis_server import RedisServer
from tests.fakes.twilio import FakeTwilio

pytestmark = pytest.mark.service

FACTS = Utility(utility="Juniper Bay Energy", human_phone="555-0100", emergency_phone="555-0199")
PHONE = "+12075550101"
START = datetime(2026, 3, 5, 20, 0, tzinfo=UTC)


@dataclass
class World:
    """A board, a clock, and everything else for real."""

    notices: OutageNotices
    twilio: FakeTwilio
    subscriptions: UpdateSubscriptions
    consents: ContactConsents
    now: datetime = START
    as_of: datetime | None = START
    outages: dict[str, Outage] = field(default_factory=dict)
    others: list[OutageNotices] = field(default_factory=list)

    def outage_of(self, service_point_id: str) -> Outage | None:
        return self.outages.get(service_point_id)

    def becomes(self, etr_minutes: float | None, status: OutageStatus = OutageStatus.CONFIRMED) -> None:
        etr = START + timedelta(minutes=etr_minutes) if etr_minutes is not None else None
        etr_class = EtrClass.CREW if etr else EtrClass.NONE
        self.outages["SP1"] = Outage("OUT-1", status, etr=etr, etr_class=etr_class, updated_at=self.now)

    def passes(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)
        self.as_of = self.now


@pytest.fixture
async def world(redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[World]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'test.db'}"
    await upgrade(url)
    database, redis, twilio = Database(url), connect(redis_server.url), FakeTwilio()
    await redis.flushdb()

    def now() -> datetime:
        return made.now

    async def no_pause(_: float) -> None:
        await asyncio.sleep(0)

    subscriptions, consents = UpdateSubscriptions(database, now), ContactConsents(database, now)
    made = World(None, twilio, subscriptions, consents)  # type: ignore[arg-type]
    for _ in range(3):
        messages = TwilioMessages(
            "AC1", "token", "+15555550100", sent=RedisSentLog(redis), http=twilio.client(), sleep=no_pause
        )
        made.others.append(OutageNotices(made, subscriptions, consents, messages, Journal(redis), FACTS, now))
    made.notices = made.others[0]
    await subscriptions.add("SP1", PHONE, label="14 Lantern Lane")
    made.passes(1)
    yield made
    await redis.aclose()
    await database.close()


async def test_a_whole_outage_is_told_step_by_step_and_each_step_once(world: World) -> None:
    steps: list[tuple[float, float | None, OutageStatus]] = [
        (0, None, OutageStatus.CONFIRMED),  # no estimate: nothing to say
        (5, 95, OutageStatus.CONFIRMED),  # the first
        (5, 110, OutageStatus.CONFIRMED),  # fifteen minutes: not worth it
        (5, 140, OutageStatus.CONFIRMED),  # forty-five: changed
        (130, 140, OutageStatus.CONFIRMED),  # passed
        (10, None, OutageStatus.RESTORED),
    ]
    for minutes, etr, status in steps:
        world.passes(minutes)
        world.becomes(etr, status)
        await world.notices.look()
        await world.notices.look()
    first, changed, missed, restored = world.twilio.bodies
    assert "by 4:45 PM" in first and "14 Lantern Lane" in first and "STOP" in first
    assert "changed" in changed and "5:30 PM" in changed
    assert "we missed the time we gave you (5:30 PM)" in missed
    assert "Reply ON or OFF" in restored


async def test_several_workers_send_a_notice_once(world: World) -> None:
    world.becomes(90)
    await asyncio.gather(*(notices.look() for notices in world.others))
    assert len(world.twilio.bodies) == 1


async def test_who_said_stop_gets_no_notice(world: World) -> None:
    await world.consents.set(PHONE, True)
    world.becomes(90)
    await world.notices.look()
    await world.consents.set(PHONE, False)
    await world.notices.look()
    assert world.twilio.bodies == []


async def test_a_notice_that_could_not_be_sent_is_sent_later(world: World) -> None:
    world.becomes(90)
    world.twilio.script = [503] * 4
    assert await world.notices.look() == 0
    assert await world.notices.look() == 1
    assert len(world.twilio.bodies) == 1


async def test_an_old_board_says_nothing_not_even_that_a_time_was_missed(world: World) -> None:
    world.becomes(30)
    await world.notices.look()
    world.now += timedelta(hours=2)
    assert await world.notices.look() == 0


async def test_a_receiver_who_stopped_at_the_carrier_is_remembered(world: World) -> None:
    world.twilio.opted_out.add(PHONE)
    world.becomes(90)
    await world.notices.look()
    assert await world.consents.is_stopped(PHONE)


async def test_a_subscription_ends_a_day_after_the_restoration(world: World) -> None:
    world.becomes(None, OutageStatus.RESTORED)
    await world.notices.look()
    world.passes(25 * 60)
    await world.notices.look()
    assert await world.subscriptions.active() == []
