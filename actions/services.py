"""What actions may ask: the utility's systems, the records, and who is speaking. Built once a process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.identity.store import IdentityStore
from integrations.base.redis import connect
from integrations.base.settings import Settings
from integrations.base.utility import Utility, get_utility
from integrations.cis.client import CisClient
from integrations.oms.board import OutageBoard
from integrations.oms.client import MultiSpeakOms
from integrations.oms.reports import TroubleReports
from integrations.records.contacts import Handoffs, UpdateSubscriptions
from integrations.records.database import Database


@dataclass(frozen=True, slots=True)
class Services:
    """The systems behind the actions."""

    utility: Utility
    identities: IdentityStore
    board: OutageBoard
    cis: CisClient
    reports: TroubleReports
    subscriptions: UpdateSubscriptions
    handoffs: Handoffs
    close: Callable[[], Any]
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


_services: Services | None = None


def services() -> Services:
    """The services of this process.

    Raises:
        RuntimeError: an action ran before the server started.
    """
    if _services is None:
        raise RuntimeError("the action server has not started its services")
    return _services


def use(value: Services | None) -> None:
    """Set the services of this process (the server's start and stop; tests)."""
    global _services
    _services = value


async def build(settings: Settings) -> Services:
    """Connect to everything that the settings name, and start keeping the outages in memory."""
    redis = connect(settings.redis_url)
    oms = MultiSpeakOms.from_settings(settings)
    # The board's reading of pushes waits for them, longer than a command may take.
    board_redis = connect(settings.redis_url, timeout=10.0)
    board = OutageBoard.from_settings(settings, board_redis, oms)
    cis = CisClient.from_settings(settings)
    database = Database.from_settings(settings)
    await board.start()

    async def close() -> None:
        await board.stop()
        await board.aclose()
        await cis.aclose()
        await database.close()
        await board_redis.aclose()
        await redis.aclose()

    return Services(
        utility=get_utility(),
        identities=IdentityStore(redis, keep=int(settings.session_minutes * 60)),
        board=board,
        cis=cis,
        reports=TroubleReports(database, oms),
        subscriptions=UpdateSubscriptions(database),
        handoffs=Handoffs(database),
        close=close,
    )
