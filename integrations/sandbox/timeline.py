"""Playing a list of timed steps, in order, at any speed, by any clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .outages import Outages


@dataclass(order=True, slots=True)
class Step:
    """Something that happens ``at`` this many seconds after the beginning; equal times keep their ``order``."""

    at: float
    order: int
    act: Callable[[], None] = field(compare=False)


class Timeline:
    """Plays steps against the outages.

    All durations are divided by the speed, those that the steps publish (restoration times) included, because whoever
    reads them compares them with a clock that runs at its usual pace.

    Args:
        outages: what the steps change.
        start: when offset 0 is (or was).
        speed: 60 plays an hour in a minute.
    """

    def __init__(self, outages: Outages, start: datetime, speed: float) -> None:
        if speed <= 0:
            raise ValueError("the speed must be positive")
        self.outages, self.start, self.speed = outages, start, speed
        self._steps: list[Step] = []
        self._next = 0

    def load(self, steps: Iterable[Step]) -> None:
        """Set what is to be played."""
        self._steps = sorted(steps)
        self._next = 0

    def when(self, offset: float) -> datetime:
        """The moment of an offset in seconds, to the second."""
        return (self.start + timedelta(seconds=offset / self.speed)).replace(microsecond=0)

    @property
    def done(self) -> bool:
        """Whether every step has been played."""
        return self._next >= len(self._steps)

    @property
    def length(self) -> float:
        """Seconds, before the speed, until the last step."""
        return self._steps[-1].at if self._steps else 0.0

    def advance(self) -> int:
        """Play what is due by the outages' clock.

        Returns:
            How many steps were played.
        """
        now = self.outages.clock.now()
        played = 0
        try:
            while self._next < len(self._steps):
                step = self._steps[self._next]
                moment = self.start + timedelta(seconds=step.at / self.speed)
                if moment > now:
                    break
                self.outages.moment = moment
                step.act()
                self._next += 1
                played += 1
        finally:
            self.outages.moment = None
        return played
