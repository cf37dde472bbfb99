"""A limit on how fast somebody may speak."""

from __future__ import annotations

import time

from integrations.base.clock import Monotonic


class Allowance:
    """A token bucket.

    Args:
        burst: at most this many at once.
        per_second: how fast it fills again.
        clock: a monotonic clock in seconds.
    """

    def __init__(self, burst: float, per_second: float, clock: Monotonic = time.monotonic) -> None:
        self._burst = burst
        self._per_second = per_second
        self._clock = clock
        self._left = burst
        self._at = clock()

    def take(self) -> bool:
        """Use one; False when there is none left."""
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True

    @property
    def is_full(self) -> bool:
        """Whether nothing was used lately."""
        return self._left + (self._clock() - self._at) * self._per_second >= self._burst
