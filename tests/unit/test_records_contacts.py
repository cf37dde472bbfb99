"""Subscriptions, consents, hand-offs, and the migrations under them."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import pytest_asyncio
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, select

from integrations.records.contacts import ContactConsents, Handoffs, UpdateSubscriptions
from integrations.records.database import Database, upgrade
from integrations.records.tables import Base, UpdateSubscriptionRow

pytestmark = pytest.mark.unit

ROSA, MEI = "+12075550101", "+12075550103"


def address(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder / 'deep' / 'records.db'}"


@pytest_asyncio.fixture(loop_scope="function")
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    await upgrade(address(tmp_path))
    database = Database(address(tmp_path))
    yield database
    await database.close()


def _upgrade(url: str) -> None:
    asyncio.run(upgrade(url))


def test_processes_that_start_at_once_upgrade_once(tmp_path: Path) -> None:
    processes = [
        multiprocessing.get_context("spawn").Process(target=_upgrade, args=(address(tmp_path),)) for _ in range(3)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]


async def test_migrations_make_exactly_the_tables(db: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), Base.metadata))

    async with db.engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await db.ping()


async def test_times_keep_their_moment_and_zone(db: Database) -> None:
    moment = datetime(2026, 1, 20, 7, 0, tzinfo=timezone(timedelta(hours=-5)))
    await UpdateSubscriptions(db, now=lambda: moment).add("SP1", ROSA)
    async with db.read() as connection:
        kept = (await connection.execute(select(UpdateSubscriptionRow.__table__.c.created_at))).scalar_one()
    assert kept == moment
    assert kept.tzinfo is UTC
    with pytest.raises(Exception, match="zone"):
        await UpdateSubscriptions(db, now=lambda: datetime(2026, 1, 20)).add("SP2", ROSA)


async def test_subscribing_twice_is_one_subscription_and_leaving_ends_it(db: Database) -> None:
    subscriptions = UpdateSubscriptions(db)
    assert await subscriptions.add("SP1", ROSA)
    assert not await subscriptions.add("SP1", ROSA)
    assert await subscriptions.add("SP2", ROSA)
    assert await subscriptions.add("SP1", MEI)
    assert {one.phone for one in await subscriptions.of_service_points(["SP1"])} == {ROSA, MEI}
    assert await subscriptions.remove(ROSA, "SP1") == 1
    assert await subscriptions.remove(ROSA) == 1
    assert await subscriptions.remove(ROSA) == 0
    assert [one.phone for one in await subscriptions.active()] == [MEI]
    assert await subscriptions.add("SP1", ROSA)
    assert len(await subscriptions.of_phone(ROSA)) == 1


async def test_a_notice_is_claimed_by_one_sender_only(db: Database) -> None:
    subscriptions = UpdateSubscriptions(db)
    await subscriptions.add("SP1", ROSA)
    (mine,) = await subscriptions.of_phone(ROSA)
    won = await asyncio.gather(*(subscriptions.claim_notice(mine, "restored A") for _ in range(5)))
    assert sorted(won) == [False] * 4 + [True]
    (after,) = await subscriptions.of_phone(ROSA)
    assert not await subscriptions.claim_notice(after, "restored A")


async def test_stop_of_everything_covers_each_category_and_start_takes_it_back(db: Database) -> None:
    consents = ContactConsents(db)
    assert not await consents.is_stopped(ROSA)
    assert await consents.set(ROSA, True, source="sms keyword")
    assert not await consents.set(ROSA, True)
    assert await consents.is_stopped(ROSA, "outage")
    assert await consents.set(ROSA, False)
    assert await consents.set(ROSA, True, category="billing")
    assert (await consents.is_stopped(ROSA, "billing"), await consents.is_stopped(ROSA, "outage")) == (True, False)


async def test_a_conversation_has_one_open_handoff(db: Database) -> None:
    handoffs = Handoffs(db)
    opened = await asyncio.gather(*(handoffs.open("c1", "asked", summary="dark") for _ in range(4)))
    assert len({one.id for one in opened}) == 1
    assert await handoffs.take(opened[0].id, "agent-1")
    assert not await handoffs.take(opened[0].id, "agent-2")
    assert [one.taken_by for one in await handoffs.waiting()] == ["agent-1"]
    assert await handoffs.close("c1")
    assert not await handoffs.close("c1")
    assert await handoffs.current("c1") is None
    assert (await handoffs.open("c1", "again")).id != opened[0].id
