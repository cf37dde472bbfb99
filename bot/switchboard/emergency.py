"""Emergencies: the script at once, an urgent report that exists even if the customer leaves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Protocol, cast

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.identity.by_phone import PhoneBook
from bot.switchboard.journal import Journal
from bot.switchboard.metrics import emergencies, failures
from bot.switchboard.models import Turn
from integrations.oms.models import ReportKind, TroubleReport

log = structlog.get_logger()

PARKED = "reports:parked"
"""Redis stream of reports that the database did not take; the worker brings them in."""
LONGEST_NOTE = 500


class Emergency(Protocol):
    """What the guard found."""

    @property
    def kind(self) -> str:
        """gas_leak, downed_wire, carbon_monoxide, fire_shock or medical_equipment."""
        ...

    @property
    def confidence(self) -> float:
        """0 to 1."""
        ...


@dataclass(frozen=True, slots=True)
class Recognised:
    """An emergency that the dialogue recognised."""

    kind: str
    confidence: float = 0.5


class Guard(Protocol):
    """The safety guard: no LLM, no back-end, milliseconds."""

    def check(self, text: str, language: str | None = None) -> Emergency | None:
        """The emergency that a text speaks of, if any."""
        ...


class Script(Protocol):
    """The fixed words for an emergency."""

    def __call__(self, kind: Any, channel: str, language: str, /) -> str:
        """What the customer hears first."""
        ...


class Reports(Protocol):
    """The part of trouble reporting that is needed here."""

    async def submit(self, report: TroubleReport) -> Any:
        """Keep the report in the database, then try to deliver it."""
        ...


def find_emergency(guard: Guard, windows: Iterable[str], language: str) -> Emergency | None:
    """The first emergency in a text that may come in pieces.

    A guard that breaks is recorded as the grave failure that it is, and the conversation goes on.
    """
    try:
        return next((found for piece in windows if (found := guard.check(piece, language))), None)
    except Exception as error:  # nothing in front of the customer may break, this least of all
        failures.labels("guard").inc()
        log.critical("safety.guard_failed", error=type(error).__name__)
        return None


class EmergencyDesk:
    """Submits urgent trouble reports in tasks of its own.

    Args:
        reports: database first, then the OMS.
        phone_book: to add the account and the service point when the number has exactly one.
        redis: takes the report when the database does not.
        journal: for the ledger's event.
        budget: seconds for the phone book.
    """

    def __init__(
        self, reports: Reports, phone_book: PhoneBook, redis: Redis, journal: Journal, budget: float = 0.5
    ) -> None:
        self._reports = reports
        self._phone_book = phone_book
        self._redis = redis
        self._journal = journal
        self._budget = budget
        self._tasks: set[asyncio.Task[None]] = set()

    def report(self, turn: Turn, emergency: Emergency, words: str) -> None:
        """Start submitting; one report for a conversation and kind, however often it is said."""
        emergencies.labels(emergency.kind, turn.channel).inc()
        task = asyncio.create_task(self._submit(turn, emergency, words))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Wait for the reports under way; for shutdown."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _submit(self, turn: Turn, emergency: Emergency, words: str) -> None:
        account, service_point, address = await self._where(turn.phone)
        report = TroubleReport(
            report_id=f"{turn.conversation_id}:{emergency.kind}",
            kind=cast(ReportKind, emergency.kind),
            occurred_at=turn.received_at,
            service_point_id=service_point,
            account_number=account,
            phone=turn.phone or "",
            priority="Urgent",
            note=words[:LONGEST_NOTE],
            conversation_id=turn.conversation_id,
            address=address,
        )
        try:
            await self._reports.submit(report)
            state = "submitted"
        except Exception as error:  # whatever broke, an emergency that somebody reported is not lost
            failures.labels("emergency_report").inc()
            log.error("safety.report_failed", kind=emergency.kind, error=type(error).__name__)
            state = "parked" if await self._park(report) else "lost"
        await self._journal.event(
            "safety.report", conversation=turn.conversation_id, turn=turn.turn_id, kind=emergency.kind, state=state
        )

    async def _where(self, phone: str | None) -> tuple[str, str, str]:
        if not phone:
            return "", "", ""
        try:
            async with asyncio.timeout(self._budget):
                premises = await self._phone_book.find_by_phone(phone)
        except Exception as error:  # the dispatcher has the number; the rest is a help
            log.warning("safety.phone_book_failed", error=type(error).__name__)
            return "", "", ""
        if len(premises) != 1:
            return "", "", ""
        only = premises[0]
        return str(only.account_number), str(only.service_point_id), str(getattr(only, "address", "") or "")

    async def _park(self, report: TroubleReport) -> bool:
        try:
            await self._redis.xadd(PARKED, {"report": parked_report(report)})
        except RedisError as error:
            log.critical("safety.report_lost", kind=report.kind, error=type(error).__name__)
            return False
        return True


def parked_report(report: TroubleReport) -> str:
    """A report as text."""
    return json.dumps({**asdict(report), "occurred_at": report.occurred_at.isoformat()})


def unparked_report(text: str) -> TroubleReport:
    """The report of a text.

    Raises:
        ValueError: it is none.
    """
    try:
        data = json.loads(text)
        return TroubleReport(**{**data, "occurred_at": datetime.fromisoformat(data["occurred_at"])})
    except (KeyError, TypeError) as error:
        raise ValueError("not a trouble report") from error
