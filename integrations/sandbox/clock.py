"""Time for the simulated utility: one clock that a test can hold in its hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Says what time it is."""

    def now(self) -> datetime:
        """The time as an aware datetime in UTC."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The machine's time."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until it is moved; for tests."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime(2026, 1, 26, 20, 0, tzinfo=UTC)

    def now(self) -> datetime:
        """The time that it was last set to."""
        return self._now

    def advance(self, seconds: float) -> datetime:
        """Move forward.

        Args:
            seconds: how far.

        Returns:
            The new time.
        """
        self._now += timedelta(seconds=seconds)
        return self._now


def to_quarter(moment: datetime, up: bool = True) -> datetime:
    """A quarter of an hour, the next or the last one: nobody promises 14:07."""
    whole = moment.replace(microsecond=0)
    over = int(whole.timestamp()) % 900
    if not over:
        return whole
    return whole + timedelta(seconds=900 - over if up else -over)


def iso(moment: datetime | None) -> str | None:
    """An xs:dateTime in UTC, whole seconds, or nothing."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def epoch_ms(moment: datetime | None) -> int | None:
    """Milliseconds since 1970 as ArcGIS writes dates, or nothing."""
    return int(moment.timestamp() * 1000) if moment else None
