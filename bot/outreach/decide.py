"""Whether an outage's state is news to somebody who was told something before. No clock, no network: rules only.

The rules are those of utilities that do this well (Duke, OUC): tell the first restoration time, a change of 30 minutes
or more, always when a time passes without restoration, and the restoration, which asks back. A withdrawn time is not
news by itself; that it has passed is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from integrations.oms.models import EtrClass, Outage, OutageStatus

WORTH_TELLING = timedelta(minutes=30)

Kind = Literal["known", "first", "changed", "missed", "restored"]


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell, or to note without telling.

    Attributes:
        kind: "known" is noted only: they were told when they subscribed.
        mark: what the subscription remembers as told; the same mark is never told twice.
        etr: the restoration time to tell, with its class.
        missed: the time that has passed.
    """

    kind: Kind
    mark: str
    etr: datetime | None = None
    etr_class: EtrClass = EtrClass.NONE
    missed: datetime | None = None


def decide(outage: Outage | None, told: str, subscribed_at: datetime, now: datetime) -> Notice | None:
    """What to tell now; None for nothing.

    Args:
        outage: at the service point; None when none is known, which proves nothing.
        told: the mark of the last notice; "" before the first.
        subscribed_at: what the OMS knew before that, the customer heard in the conversation.
        now: the moment.
    """
    if outage is None or outage.planned:
        return None
    if outage.status is OutageStatus.RESTORED:
        return _restored(outage, told, subscribed_at)
    if not outage.status.is_out:
        return None
    promised = _time_of(told)
    etr = outage.etr if outage.etr is not None and outage.etr > now else None
    if promised is not None and promised <= now:
        if etr is not None:
            return Notice("missed", _mark("etr", etr), etr, outage.etr_class, promised)
        return Notice("missed", _mark("missed", promised), missed=promised)
    if etr is None:
        return None
    if promised is not None:
        if abs(etr - promised) < WORTH_TELLING:
            return None
        return Notice("changed", _mark("etr", etr), etr, outage.etr_class)
    if not told and outage.updated_at is not None and outage.updated_at <= subscribed_at:
        return Notice("known", _mark("etr", etr), etr, outage.etr_class)
    return Notice("first", _mark("etr", etr), etr, outage.etr_class)


def _restored(outage: Outage, told: str, subscribed_at: datetime) -> Notice | None:
    mark = f"restored:{outage.outage_id}"
    if told.startswith("restored:"):
        return None
    # An outage that had ended before anybody subscribed is why they were told that it had.
    if not told and outage.updated_at is not None and outage.updated_at <= subscribed_at:
        return None
    return Notice("restored", mark[:120])


def _mark(kind: str, moment: datetime) -> str:
    return f"{kind}:{moment.isoformat()}"


def _time_of(told: str) -> datetime | None:
    """The promise that was told last and whose passing was not."""
    if not told.startswith("etr:"):
        return None
    try:
        return datetime.fromisoformat(told.removeprefix("etr:"))
    except ValueError:
        return None
