"""Trouble reports on their way to the OMS: rows, claims and episodes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, case, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from integrations.records.database import Database
from integrations.records.tables import ReportEpisodeRow, TroubleReportRow

_REPORTS = TroubleReportRow.__table__
_EPISODES = ReportEpisodeRow.__table__


@dataclass(frozen=True, slots=True)
class KeptReport:
    """A row of trouble_reports."""

    report_id: str
    reference: str
    object_id: str
    kind: str
    priority: str
    service_point_id: str
    account_number: str
    phone: str
    address: str
    note: str
    conversation_id: str
    occurred_at: datetime
    created_at: datetime
    state: str
    attempts: int
    due_at: datetime
    lease_until: datetime | None
    delivered_at: datetime | None
    last_problem: str


def _kept(row: Row[Any]) -> KeptReport:
    return KeptReport(**row._mapping)


class TroubleReportRows:
    """Reading and writing trouble_reports and report_episodes. Each method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, values: dict[str, Any]) -> bool:
        """Insert a report unless its id is there.

        Returns:
            Whether it was inserted.

        Raises:
            IntegrityError: its reference belongs to another report.
        """
        statement = self._database.insert(TroubleReportRow).values(**values)
        async with self._database.begin() as connection:
            result = await connection.execute(statement.on_conflict_do_nothing(index_elements=["report_id"]))
            return bool(result.rowcount)

    async def get(self, report_id: str) -> KeptReport | None:
        """One report."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(_REPORTS).where(_REPORTS.c.report_id == report_id))).first()
        return _kept(row) if row else None

    async def claim(self, report_id: str, now: datetime, lease: timedelta) -> bool:
        """Take a report for sending; only one of many who try gets it, and nobody while another's lease runs."""
        free = or_(_REPORTS.c.lease_until.is_(None), _REPORTS.c.lease_until <= now)
        statement = (
            update(TroubleReportRow)
            .where(_REPORTS.c.report_id == report_id, _REPORTS.c.state != "delivered", free)
            .values(state="sending", lease_until=now + lease, attempts=_REPORTS.c.attempts + 1)
        )
        async with self._database.begin() as connection:
            return bool((await connection.execute(statement)).rowcount)

    async def delivered(self, report_id: str, now: datetime) -> None:
        """The OMS has it."""
        await self._change(report_id, state="delivered", delivered_at=now, lease_until=None, last_problem="")

    async def kept(self, report_id: str, state: str, due_at: datetime, problem: str) -> None:
        """The OMS has it not, or we do not know; try again at a time.

        A report that somebody else delivered meanwhile stays delivered.
        """
        await self._change(report_id, state=state, due_at=due_at, lease_until=None, last_problem=problem[:200])

    async def due(self, now: datetime, limit: int) -> list[KeptReport]:
        """Reports to be sent now: urgent ones first, then the oldest."""
        urgency = case((_REPORTS.c.priority == "Urgent", 0), (_REPORTS.c.priority == "NeedsAttention", 1), else_=2)
        waiting = and_(_REPORTS.c.state.in_(("pending", "rejected")), _REPORTS.c.due_at <= now)
        orphaned = and_(_REPORTS.c.state == "sending", _REPORTS.c.lease_until <= now)
        statement = select(_REPORTS).where(or_(waiting, orphaned)).order_by(urgency, _REPORTS.c.created_at).limit(limit)
        async with self._database.read() as connection:
            return [_kept(row) for row in await connection.execute(statement)]

    async def count(self) -> dict[str, int]:
        """How many there are in each state."""
        statement = select(_REPORTS.c.state, func.count()).group_by(_REPORTS.c.state)
        async with self._database.read() as connection:
            return {state: count for state, count in await connection.execute(statement)}

    async def episode(
        self, place: str, kind: str, at: datetime, length: timedelta, restored_at: datetime | None = None
    ) -> str:
        """The name of the episode that a report of this kind at this place belongs to now.

        Args:
            place: where.
            kind: of the report.
            at: now.
            length: an episode that began longer ago is over.
            restored_at: an episode that began before this is over.

        One statement decides, so two processes that ask at the same moment get the same answer.
        """
        name = at.isoformat()
        statement = self._database.insert(ReportEpisodeRow).values(
            place=place, kind=kind, episode=name, started_at=at, ended_at=None
        )
        edge = at - length if restored_at is None else max(at - length, min(restored_at, at))
        over = or_(_EPISODES.c.ended_at.is_not(None), _EPISODES.c.started_at <= edge)
        statement = statement.on_conflict_do_update(
            index_elements=["place", "kind"], set_={"episode": name, "started_at": at, "ended_at": None}, where=over
        )
        chosen = select(_EPISODES.c.episode).where(_EPISODES.c.place == place, _EPISODES.c.kind == kind)
        async with self._database.begin() as connection:
            await connection.execute(statement)
            return str((await connection.execute(chosen)).scalar_one())

    async def end_episodes(self, place: str, at: datetime) -> None:
        """Whatever was reported at a place before a time is over; a report after it is a new one."""
        statement = (
            update(ReportEpisodeRow)
            .where(_EPISODES.c.place == place, _EPISODES.c.ended_at.is_(None), _EPISODES.c.started_at <= at)
            .values(ended_at=at)
        )
        async with self._database.begin() as connection:
            await connection.execute(statement)

    async def _change(self, report_id: str, **values: Any) -> None:
        statement = (
            update(TroubleReportRow)
            .where(_REPORTS.c.report_id == report_id, _REPORTS.c.state != "delivered")
            .values(**values)
        )
        async with self._database.begin() as connection:
            await connection.execute(statement)


__all__ = ["IntegrityError", "KeptReport", "TroubleReportRows"]
