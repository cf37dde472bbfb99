"""Trouble reports: written down first, then handed to the OMS, and exactly one ticket whatever happens between.

- The row is committed before the OMS hears of it, so a process that dies loses nothing.
- The OMS's object id is made from the report's id, so sending again is the same ticket: an answer that was lost, or a
  process that died after sending, does no harm.
- A lease on the row keeps two processes from sending at once.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import structlog
from sqlalchemy.exc import SQLAlchemyError

from integrations.base.clock import Now, utc_now
from integrations.oms.client import MultiSpeakOms
from integrations.oms.errors import OmsRejected, OmsUnavailable
from integrations.oms.models import ReportKind, TroubleReport
from integrations.records.database import Database
from integrations.records.reports import IntegrityError, KeptReport, TroubleReportRows

log = structlog.get_logger()

ReceiptState = Literal["delivered", "kept", "already"]

_OBJECTS = uuid.UUID("8b0c9a54-6f0e-5f0b-9b52-6b1f6f1d2c11")
# Letters and digits that are not taken for one another when read aloud on a bad line.
_LETTERS = "AFHJKQRXY"
_SAFETY = frozenset(("gas_leak", "downed_wire", "carbon_monoxide", "fire_shock"))
EPISODE = timedelta(hours=12)
SAFETY_EPISODE = timedelta(hours=1)
"""Emergencies count as repeated for an hour only: a second leak in the evening must not be taken for the first."""
_FIRST_BACKOFF = 5.0
_LONGEST_BACKOFF = 300.0
_REJECTED_BACKOFF = 900.0


class ReportNotKept(Exception):
    """Neither the database nor the OMS took the report. The customer has to be told to call."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a customer may be told about a report.

    Attributes:
        reference: short, to be read aloud: a letter and two groups of digits.
        state: handed to the OMS; kept, to be handed over later; or a repeat of one we have already.
        at: when it was first taken.
        delivered: whether the OMS has it, for a repeat too.
    """

    reference: str
    state: ReceiptState
    at: datetime
    delivered: bool


@dataclass(frozen=True, slots=True)
class Deliveries:
    """What one round of `deliver_pending` did."""

    delivered: int = 0
    kept: int = 0
    rejected: int = 0


def place_of(service_point_id: str = "", address: str = "", otherwise: str = "") -> str:
    """Where something was reported, as one short text: the service point, else the address without its spelling.

    Args:
        service_point_id: when it is known.
        address: as the customer gave it.
        otherwise: what identifies the report when no place is known: a phone or a conversation.

    Raises:
        ValueError: all are empty.
    """
    if service_point_id:
        return f"sp:{service_point_id}"[:120]
    plain = " ".join(re.findall(r"[a-z0-9]+", address.lower()))
    if plain:
        return "address:" + hashlib.sha256(plain.encode()).hexdigest()[:32]
    if otherwise:
        return "other:" + hashlib.sha256(otherwise.encode()).hexdigest()[:32]
    raise ValueError("a report needs a place, a phone or a conversation")


def report_key(service_point_id_or_address: str, kind: ReportKind, episode: str) -> str:
    """The idempotency key of a report: the same place, kind and episode are the same report.

    Args:
        service_point_id_or_address: or what `place_of` gave.
        kind: what is reported.
        episode: what separates this occasion from the next; `TroubleReports.key` finds it.
    """
    if not service_point_id_or_address.strip():
        raise ValueError("a report needs a place")
    plain = " ".join(service_point_id_or_address.lower().split())
    return "r-" + hashlib.sha256("\0".join((plain, kind, episode)).encode()).hexdigest()[:40]


def reference_of(report_id: str, attempt: int = 0) -> str:
    """A short reference such as ``K-204-317``; another one for each attempt."""
    number = int.from_bytes(hashlib.sha256(f"{report_id}\0{attempt}".encode()).digest()[:8])
    letter = _LETTERS[number % len(_LETTERS)]
    digits = f"{number // len(_LETTERS) % 1_000_000:06d}"
    return f"{letter}-{digits[:3]}-{digits[3:]}"


def object_id_of(report_id: str) -> str:
    """The OMS's objectID of a report, always the same."""
    return str(uuid.uuid5(_OBJECTS, report_id))


class TroubleReports:
    """Takes reports and sees to it that the OMS gets them.

    Args:
        db: where they are kept.
        oms: where they go.
        budget_seconds: the most a customer waits for the OMS; by default the OMS client's.
    """

    def __init__(
        self, db: Database, oms: MultiSpeakOms, *, budget_seconds: float | None = None, now: Now = utc_now
    ) -> None:
        self.rows = TroubleReportRows(db)
        self._oms = oms
        self._budget = budget_seconds if budget_seconds is not None else oms.budget_seconds
        self._now = now

    async def key(
        self,
        kind: ReportKind,
        *,
        service_point_id: str = "",
        address: str = "",
        otherwise: str = "",
        restored_at: datetime | None = None,
    ) -> str:
        """The report id for what is being reported now.

        The same as for an earlier report of the kind at the place, until its episode is over: power came back
        (`restored_at`, or `end_episode`), or 12 hours (an hour for emergencies) have passed.

        Args:
            kind: what is reported.
            service_point_id: where, when it is known.
            address: where, in the customer's words.
            otherwise: what stands for a place when none is known: a phone or a conversation.
            restored_at: when power last came back there, if the board knows (`updated_at` of a RESTORED outage).

        Raises:
            ValueError: no place, phone or conversation.
        """
        place = place_of(service_point_id, address, otherwise)
        now = self._now()
        try:
            length = SAFETY_EPISODE if kind in _SAFETY else EPISODE
            episode = await self.rows.episode(place, kind, now, length, restored_at)
        except (SQLAlchemyError, OSError):
            # Without the database the day has to do; `submit` then decides what can be promised.
            log.exception("episodes cannot be read")
            episode = now.date().isoformat()
        return report_key(place, kind, episode)

    async def end_episode(self, service_point_id: str) -> None:
        """Power is back at a service point: what is reported from now on is new."""
        await self.rows.end_episodes(place_of(service_point_id), self._now())

    async def submit(self, report: TroubleReport) -> Receipt:
        """Take a report: database first, then the OMS within the budget.

        Raises:
            ReportNotKept: neither took it.
        """
        try:
            kept, is_new = await self._write_down(report)
        except (SQLAlchemyError, OSError):
            log.exception("a trouble report could not be written down")
            return await self._without_database(report)
        if not is_new:
            return Receipt(kept.reference, "already", kept.created_at, kept.state == "delivered")
        state = await self._hand_over(report, kept, self._budget)
        return Receipt(
            kept.reference, "delivered" if state == "delivered" else "kept", kept.created_at, state == "delivered"
        )

    async def deliver_pending(self, limit: int = 100) -> Deliveries:
        """Hand over what is due, urgent ones first; stops at the first sign that the OMS is away.

        Call it again and again, from any number of processes.
        """
        delivered = kept = rejected = 0
        for row in await self.rows.due(self._now(), limit):
            if not await self.rows.claim(row.report_id, self._now(), self._lease(20.0)):
                continue
            state = await self._hand_over(_report_of(row), row, None)
            delivered += state == "delivered"
            rejected += state == "rejected"
            kept += state == "pending"
            if state == "pending":
                break
        return Deliveries(delivered, kept, rejected)

    # -- inside

    async def _write_down(self, report: TroubleReport) -> tuple[KeptReport, bool]:
        """The row of a report, and whether we have just made it; made with a lease, so that it is ours to send."""
        now = self._now()
        # Most reports of a storm are repetitions, which need not wait for their turn to write.
        row = await self.rows.get(report.report_id)
        if row is not None:
            return row, False
        for attempt in range(20):
            values: dict[str, Any] = {
                "report_id": report.report_id,
                "reference": reference_of(report.report_id, attempt),
                "object_id": object_id_of(report.report_id),
                "kind": report.kind,
                "priority": report.priority,
                "service_point_id": report.service_point_id,
                "account_number": report.account_number,
                "phone": report.phone,
                "address": report.address[:500],
                "note": report.note[:2000],
                "conversation_id": report.conversation_id,
                "occurred_at": report.occurred_at,
                "created_at": now,
                "state": "sending",
                "attempts": 1,
                "due_at": now,
                "lease_until": now + self._lease(self._budget),
                "delivered_at": None,
                "last_problem": "",
            }
            try:
                is_new = await self.rows.add(values)
            except IntegrityError:
                # Another report has this reference.
                continue
            row = await self.rows.get(report.report_id)
            if row is not None:
                return row, is_new
        raise OSError("no free reference")

    async def _hand_over(self, report: TroubleReport, kept: KeptReport, budget: float | None) -> str:
        """Send a claimed report and record what came of it: delivered, pending or rejected."""
        now = self._now()
        # A report that was just written down counts this attempt already; one that was taken up again does not.
        attempts = kept.attempts + (budget is None)
        state, due_at, problem = "delivered", now, ""
        try:
            await self._oms.report(report, kept.object_id, budget, patient=budget is None)
        except OmsUnavailable as error:
            state, due_at, problem = "pending", now + self._backoff(attempts), str(error)
            log.warning("trouble report kept for later", reason=str(error), kind=report.kind, reference=kept.reference)
        except OmsRejected as error:
            state, due_at, problem = "rejected", now + timedelta(seconds=_REJECTED_BACKOFF), error.reason
            log.error("trouble report rejected by the OMS", kind=report.kind, reference=kept.reference)
        try:
            if state == "delivered":
                await self.rows.delivered(kept.report_id, self._now())
            else:
                await self.rows.kept(kept.report_id, state, due_at, problem)
        except (SQLAlchemyError, OSError):
            # The lease runs out and it is sent again with the same object id.
            log.exception("the outcome of a trouble report could not be written down")
        return state

    async def _without_database(self, report: TroubleReport) -> Receipt:
        try:
            await self._oms.report(report, object_id_of(report.report_id), self._budget)
        except (OmsUnavailable, OmsRejected):
            raise ReportNotKept from None
        return Receipt(reference_of(report.report_id), "delivered", self._now(), True)

    @staticmethod
    def _lease(budget: float) -> timedelta:
        return timedelta(seconds=budget + 10.0)

    @staticmethod
    def _backoff(attempts: int) -> timedelta:
        seconds = min(_FIRST_BACKOFF * 2 ** min(attempts - 1, 10), _LONGEST_BACKOFF)
        return timedelta(seconds=seconds * random.uniform(0.8, 1.2))


def _report_of(row: KeptReport) -> TroubleReport:
    return TroubleReport(
        report_id=row.report_id,
        kind=row.kind,  # type: ignore[arg-type]  # only what a TroubleReport had was written
        priority=row.priority,  # type: ignore[arg-type]  # likewise
        occurred_at=row.occurred_at,
        service_point_id=row.service_point_id,
        account_number=row.account_number,
        phone=row.phone,
        note=row.note,
        conversation_id=row.conversation_id,
        address=row.address,
    )


async def deliver_forever(reports: TroubleReports, every_seconds: float = 5.0) -> None:
    """The worker's loop: deliver what is due, again and again."""
    while True:
        try:
            await reports.deliver_pending()
        except Exception:
            # The loop has to go on; reports would wait for a restart otherwise.
            log.exception("delivery of trouble reports failed")
        await asyncio.sleep(every_seconds)
