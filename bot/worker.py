"""The worker: text turns, reports that wait for the OMS, notices. `python -m bot.worker`."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Coroutine
from datetime import datetime
from typing import Any

import structlog
import uvloop
from redis.exceptions import RedisError

from bot.app import WORKER_ALIVE, Parts, build, refuse_unsafe
from bot.channels.sms_worker import TextWorker
from bot.outreach.notices import OutageNotices
from bot.switchboard.emergency import PARKED, unparked_report
from integrations.base.clock import utc_now
from integrations.base.logs import configure_logs
from integrations.base.redis import connect
from integrations.base.settings import Settings, SettingsError, get_settings
from integrations.base.tasks import told_to_stop
from integrations.base.utility import get_utility
from integrations.oms.board import OutageBoard
from integrations.oms.models import Outage
from integrations.oms.reports import deliver_forever
from integrations.records.contacts import ContactConsents, UpdateSubscriptions
from integrations.records.database import upgrade
from integrations.twilio.client import TwilioMessages
from integrations.twilio.sent import RedisSentLog

log = structlog.get_logger()

ALIVE_SECONDS = 15
PARKED_EVERY_SECONDS = 5.0


class ByServicePoint:
    """The outage board, asked by service point alone, as subscriptions know it."""

    def __init__(self, board: OutageBoard) -> None:
        self._board = board

    @property
    def as_of(self) -> datetime | None:
        """When the OMS was last heard from."""
        return self._board.as_of

    def outage_of(self, service_point_id: str) -> Outage | None:
        """The outage of a service point, RESTORED ones included."""
        return self._board.state.find(service_point_id, "", utc_now())


async def say_alive(parts: Parts) -> None:
    """Keep the worker's key fresh, for `/readyz`."""
    while not told_to_stop():
        try:
            await parts.redis.set(WORKER_ALIVE, "1", ex=ALIVE_SECONDS)
        except RedisError as error:
            log.warning("worker.not_seen", error=type(error).__name__)
        await asyncio.sleep(ALIVE_SECONDS / 3)


async def bring_in_parked(parts: Parts) -> int:
    """Submit the urgent reports that the database did not take when they were made.

    Returns:
        How many were taken now.
    """
    brought = 0
    entries: Any = await parts.redis.xrange(PARKED, count=50)
    for ident, fields in entries:
        try:
            report = unparked_report(fields["report"])
        except (ValueError, KeyError):
            log.error("worker.parked_report_unreadable")
        else:
            await parts.reports.submit(report)
            brought += 1
        await parts.redis.xdel(PARKED, ident)
    return brought


async def bring_in_parked_for_ever(parts: Parts) -> None:
    """The worker's loop for parked reports."""
    while not told_to_stop():
        try:
            await bring_in_parked(parts)
        except Exception as error:  # the loop has to go on; what could not be taken stays parked
            log.error("worker.parked_reports_wait", error=type(error).__name__)
        await asyncio.sleep(PARKED_EVERY_SECONDS)


async def run(settings: Settings, stop: asyncio.Event, parts: Parts | None = None) -> None:
    """Work until told to stop.

    Args:
        settings: the environment.
        stop: set to end; running turns have ten seconds.
        parts: instead of those that the settings make.
    """
    await upgrade(settings.database_url)
    parts = parts or build(settings)
    messages = TwilioMessages.from_settings(settings, RedisSentLog(parts.redis))
    consents = ContactConsents(parts.database)
    texts = TextWorker(parts.redis, parts.switchboard, messages, consents, parts.guard, parts.journal, parts.wording)
    # The board waits for news in reads of two seconds, which the shared client would take for a hung server.
    board_redis = connect(settings.redis_url, max_connections=8, timeout=10.0)
    board = OutageBoard.from_settings(settings, board_redis, parts.oms)
    await board.start()
    notices = OutageNotices(
        ByServicePoint(board), UpdateSubscriptions(parts.database), consents, messages, parts.journal, get_utility()
    )
    background: list[Coroutine[Any, Any, None]] = [
        say_alive(parts),
        deliver_forever(parts.reports),
        bring_in_parked_for_ever(parts),
        notices.run(),
    ]
    tasks = [asyncio.create_task(work) for work in background]
    log.info("worker.started")
    try:
        await texts.run(stop)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(RedisError):
            await parts.redis.delete(WORKER_ALIVE)
        await parts.switchboard.stop()
        await messages.aclose()
        await board.aclose()
        await board_redis.aclose()
        await parts.aclose()
        log.info("worker.stopped")


async def _until_told(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run(settings, stop)


def main() -> None:
    """The process."""
    try:
        settings = get_settings()
        refuse_unsafe(settings)
    except SettingsError as error:
        raise SystemExit(str(error)) from None
    configure_logs(settings.log_level, settings.log_json)
    uvloop.run(_until_told(settings))


if __name__ == "__main__":
    main()
