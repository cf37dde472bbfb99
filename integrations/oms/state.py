"""What the board knows, in memory: no network and no waiting here, so that every rule can be tested.

State is kept by service point. Outage ids split, merge, vanish from the OMS's list and come back (PG&E, January 2021:
258 times in 64 hours), so an id that is not listed any more is not a restoration, and what a customer was told does
not end with the id it was told about.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from integrations.oms.models import EtrClass, Event, Outage, OutageStatus, outage_from_dict, outage_to_dict

_METER = "meter:"
_SAME_MOMENT = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class _Known:
    """An outage with its place in the order of events.

    Attributes:
        gone_at: when it was missed from the list of active outages; None while it is listed.
    """

    outage: Outage
    at: datetime
    sequence: int | None
    received_at: datetime
    gone_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Told:
    """What a service point keeps of an outage that it is not in any more."""

    started_at: datetime | None
    had_etr: bool
    at: datetime


def _is_older(event: Event, at: datetime, sequence: int | None) -> bool:
    """Whether an event comes before one that was applied; the OMS's counter decides when both have one."""
    if event.sequence is not None and sequence is not None:
        return event.sequence < sequence
    return event.at < at


class BoardState:
    """Outages, whom they affect, and what each service point went through.

    Args:
        remember: how long restored and vanished outages are kept.
        grace: how long an outage that vanished still counts as the last thing known.
    """

    def __init__(self, remember: timedelta = timedelta(hours=12), grace: timedelta = timedelta(minutes=20)) -> None:
        self._remember = remember
        self._grace = grace
        self._outages: dict[str, _Known] = {}
        self._members: dict[str, frozenset[str]] = {}
        self._member_order: dict[str, tuple[datetime, int | None, int | None]] = {}
        self._ids_of: dict[str, tuple[str, ...]] = {}
        self._restored: dict[str, tuple[Outage, datetime]] = {}
        self._told: dict[str, _Told] = {}
        self._left: dict[str, tuple[frozenset[str], datetime]] = {}

    # -- what it is asked

    def find(self, service_point_id: str, meter_id: str, now: datetime) -> Outage | None:
        """The outage of a service point as of now, RESTORED ones included; None when none is known."""
        key = service_point_id
        ids = self._ids_of.get(key)
        if ids is None and meter_id:
            by_meter = _METER + meter_id
            if by_meter in self._ids_of or by_meter in self._restored:
                key, ids = by_meter, self._ids_of.get(by_meter)
        best: Outage | None = None
        for outage_id in ids or ():
            known = self._outages.get(outage_id)
            if known is not None and known.gone_at is None and _rank(known.outage) > _rank(best):
                best = known.outage
        if best is None or best.status is OutageStatus.SCHEDULED:
            restored = self._restored.get(key)
            if restored is not None and now - restored[1] <= self._remember:
                return restored[0]
        if best is None:
            return None
        told = self._told.get(key)
        if told is not None and best.status.is_out:
            best = _continue(best, told.started_at, told.had_etr)
        return best.as_seen_at(now)

    def last_known(self, service_point_id: str, meter_id: str, now: datetime) -> tuple[Outage, datetime] | None:
        """An outage that vanished from the list not long ago, and when it was last listed."""
        for key in (service_point_id, _METER + meter_id):
            for outage_id in self._ids_of.get(key, ()):
                known = self._outages.get(outage_id)
                if known is not None and known.gone_at is not None and now - known.gone_at <= self._grace:
                    return known.outage.as_seen_at(now), known.gone_at
        return None

    def outage(self, outage_id: str) -> Outage | None:
        """An outage that is listed now."""
        known = self._outages.get(outage_id)
        return known.outage if known is not None and known.gone_at is None else None

    def active(self) -> list[Outage]:
        """Every outage that is listed now and not restored."""
        return [k.outage for k in self._outages.values() if k.gone_at is None and _is_listed(k.outage)]

    def members(self, outage_id: str) -> frozenset[str]:
        """The service points of an outage, as far as known."""
        return frozenset(key for key in self._members.get(outage_id, ()) if not key.startswith(_METER))

    def wanting_members(self) -> list[str]:
        """Listed outages whose service points are not known, or were known for another number of customers."""
        wanting = []
        for outage_id, known in self._outages.items():
            if known.gone_at is None and _is_listed(known.outage):
                order = self._member_order.get(outage_id)
                if order is None or order[2] != known.outage.customers_out:
                    wanting.append(outage_id)
        return wanting

    # -- what it is told

    def apply(self, event: Event, received_at: datetime) -> bool:
        """Take an event.

        Args:
            event: in any order, any number of times.
            received_at: by our clock.

        Returns:
            False when it was older than what is known.
        """
        if event.kind == "affected":
            return self._apply_members(event, received_at)
        known = self._outages.get(event.outage_id)
        if known is not None and _is_older(event, known.at, known.sequence):
            return False
        if event.kind == "gone" or event.outage is None:
            if known is not None:
                self._outages[event.outage_id] = replace(
                    known, at=event.at, sequence=event.sequence, received_at=received_at, gone_at=received_at
                )
                if known.outage.status is OutageStatus.RESTORED:
                    # The OMS took the whole record back: it was never restored, or it is past caring.
                    self._restored = {
                        k: one for k, one in self._restored.items() if one[0].outage_id != event.outage_id
                    }
            return True
        outage = _continue_id(event.outage, known.outage if known else None)
        self._outages[event.outage_id] = _Known(outage, event.at, event.sequence, received_at)
        if outage.status is OutageStatus.RESTORED:
            self._restore(outage, received_at)
        elif known is not None and known.outage.status is OutageStatus.RESTORED:
            # It is open again after all; who is in it will be asked for, until then everybody is as before.
            self._member_order.pop(event.outage_id, None)
            for key in self._members.get(event.outage_id, ()):
                self._link(key, event.outage_id)
        elif known is None:
            for key in self._members.get(event.outage_id, ()):
                self._link(key, event.outage_id)
        return True

    def snapshot(self, events: Iterable[Event], started_at: datetime) -> list[str]:
        """Take the OMS's whole list of active outages.

        What was pushed to us after the list was asked for is newer than the list.

        Args:
            events: of kind "outage".
            started_at: when the list was asked for, by our clock.

        Returns:
            The ids that were listed before and are not now.
        """
        listed = set()
        for event in events:
            listed.add(event.outage_id)
            known = self._outages.get(event.outage_id)
            if known is None or known.received_at < started_at or event.sequence is not None:
                self.apply(event, started_at)
        vanished = []
        for outage_id, known in self._outages.items():
            if outage_id not in listed and known.gone_at is None and known.received_at < started_at:
                if _is_listed(known.outage):
                    vanished.append(outage_id)
        for outage_id in vanished:
            self._outages[outage_id] = replace(self._outages[outage_id], gone_at=started_at)
        return vanished

    def note_member(self, service_point_id: str, outage_id: str) -> None:
        """A live answer put a service point into an outage that we list."""
        if service_point_id and self.outage(outage_id) is not None:
            self._members[outage_id] = self._members.get(outage_id, frozenset()) | {service_point_id}
            self._link(service_point_id, outage_id)

    def forget_old(self, now: datetime) -> None:
        """Drop what is past remembering."""
        edge = now - self._remember
        for outage_id, known in list(self._outages.items()):
            ended = known.gone_at or (known.received_at if known.outage.status is OutageStatus.RESTORED else None)
            if ended is not None and ended < edge:
                del self._outages[outage_id]
                for key in self._members.pop(outage_id, ()):
                    self._unlink(key, outage_id)
                self._member_order.pop(outage_id, None)
                self._left.pop(outage_id, None)
        self._restored = {key: one for key, one in self._restored.items() if one[1] >= edge}
        self._told = {key: told for key, told in self._told.items() if told.at >= edge}

    # -- keeping it over a restart

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain JSON values."""
        return {
            "outages": [
                [outage_to_dict(k.outage), k.at.isoformat(), k.sequence, k.received_at.isoformat(),
                 k.gone_at.isoformat() if k.gone_at else None]
                for k in self._outages.values()
            ],
            "members": {outage_id: list(keys) for outage_id, keys in self._members.items()},
            "restored": {
                outage_id: [key for key, (one, _) in self._restored.items() if one.outage_id == outage_id]
                for outage_id in {one.outage_id for one, _ in self._restored.values()}
            },
        }  # fmt: skip

    def load(self, data: dict[str, Any]) -> None:
        """Begin with what `to_dict` gave. What came in since by events is kept when it is newer.

        Raises:
            ValueError, KeyError, TypeError: it is something else.
        """
        for fields, at, sequence, received_at, gone_at in data["outages"]:
            outage = outage_from_dict(fields)
            moment = datetime.fromisoformat(at)
            if outage.outage_id in self._outages:
                continue
            self._outages[outage.outage_id] = _Known(
                outage,
                moment,
                sequence,
                datetime.fromisoformat(received_at),
                datetime.fromisoformat(gone_at) if gone_at else None,
            )
            keys = frozenset(data["members"].get(outage.outage_id, ()))
            if keys:
                self._members[outage.outage_id] = keys
                self._member_order[outage.outage_id] = (moment, None, outage.customers_out)
                if outage.status is not OutageStatus.RESTORED:
                    for key in keys:
                        self._link(key, outage.outage_id)
            for key in data["restored"].get(outage.outage_id, ()):
                self._restored[key] = (outage, datetime.fromisoformat(received_at))

    # -- inside

    def _apply_members(self, event: Event, received_at: datetime) -> bool:
        outage_id = event.outage_id
        order = self._member_order.get(outage_id)
        if order is not None and _is_older(event, order[0], order[1]):
            return False
        known = self._outages.get(outage_id)
        count = known.outage.customers_out if known else None
        self._member_order[outage_id] = (event.at, event.sequence, count)
        keys = frozenset((*event.service_points, *(_METER + meter for meter in event.meters)))
        before = self._members.get(outage_id, frozenset())
        self._members[outage_id] = keys
        if before - keys:
            self._left[outage_id] = (before - keys, received_at)
        for key in before - keys:
            self._unlink(key, outage_id)
            if known is not None and _is_listed(known.outage):
                # Restored, or moved to another id: which of them is not known, so nothing is claimed yet.
                had_etr = known.outage.etr is not None or known.outage.etr_withdrawn
                self._told[key] = _Told(known.outage.started_at, had_etr, received_at)
        if known is None or known.outage.status is not OutageStatus.RESTORED:
            for key in keys - before:
                self._link(key, outage_id)
        return True

    def _restore(self, outage: Outage, received_at: datetime) -> None:
        left, left_at = self._left.pop(outage.outage_id, (frozenset[str](), received_at))
        keys = self._members.get(outage.outage_id, frozenset())
        if received_at - left_at <= _SAME_MOMENT:
            # The list without them came before the word that the outage is over.
            keys |= left
        for key in keys:
            self._unlink(key, outage.outage_id)
            if any(_is_listed(k.outage) and k.outage.status.is_out for k in self._listed_for(key)):
                # A small outage inside the large one goes on: for this customer it has been dark all along.
                had_etr = outage.etr is not None or outage.etr_withdrawn
                self._told[key] = _Told(outage.started_at, had_etr, received_at)
            else:
                self._restored[key] = (outage, received_at)
                self._told.pop(key, None)

    def _listed_for(self, key: str) -> list[_Known]:
        found = (self._outages.get(outage_id) for outage_id in self._ids_of.get(key, ()))
        return [known for known in found if known is not None and known.gone_at is None]

    def _link(self, key: str, outage_id: str) -> None:
        ids = self._ids_of.get(key)
        if ids is None:
            self._ids_of[key] = (outage_id,)
        elif outage_id not in ids:
            self._ids_of[key] = (*ids, outage_id)
        known = self._outages.get(outage_id)
        if known is None or known.outage.status is not OutageStatus.SCHEDULED:
            self._restored.pop(key, None)

    def _unlink(self, key: str, outage_id: str) -> None:
        left = tuple(one for one in self._ids_of.get(key, ()) if one != outage_id)
        if left:
            self._ids_of[key] = left
        else:
            self._ids_of.pop(key, None)


def _is_listed(outage: Outage) -> bool:
    """Whether this is an outage that concerns anybody: NonPay and NoOutage are not outages."""
    return outage.status not in (OutageStatus.RESTORED, OutageStatus.NON_PAY, OutageStatus.NO_OUTAGE)


def _rank(outage: Outage | None) -> tuple[int, int]:
    """Which of several outages at one place is told of.

    One that is happening before one that is planned; then the largest, which is worked on first: smaller ones inside
    it show when it clears, and then have the field to themselves.
    """
    if outage is None or not _is_listed(outage):
        return (0, 0)
    stage = 3 if outage.status.is_out else 1 if outage.status is OutageStatus.SCHEDULED else 2
    return (stage, outage.customers_out or 0)


def _continue(outage: Outage, started_at: datetime | None, had_etr: bool) -> Outage:
    """An outage that goes on from another: dark since the earlier start, and a time that was given may be missing."""
    starts = [moment for moment in (outage.started_at, started_at) if moment is not None]
    start = min(starts) if starts else None
    if outage.etr is None and had_etr and outage.etr_class is not EtrClass.EXPIRED:
        return replace(outage, started_at=start, etr_withdrawn=True, etr_class=EtrClass.ASSESSING)
    return replace(outage, started_at=start) if start != outage.started_at else outage


def _continue_id(outage: Outage, before: Outage | None) -> Outage:
    """The same id as it was before: a time that it had and has not now was withdrawn."""
    if outage.etr is None and outage.etr_withdrawn and outage.etr_class is not EtrClass.EXPIRED:
        outage = replace(outage, etr_class=EtrClass.ASSESSING)
    if before is None or not outage.status.is_out or before.status is OutageStatus.RESTORED:
        return outage
    if outage.started_at is None:
        outage = replace(outage, started_at=before.started_at)
    had_etr = before.etr is not None or before.etr_withdrawn
    return _continue(outage, outage.started_at, had_etr)
