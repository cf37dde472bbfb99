"""So many at once, and so many a second."""

from __future__ import annotations


class Allowance:
    """A bucket of tokens.

    Args:
        burst: at once.
        per_second: that come back.
    """

    def __init__(self, burst: int, per_second: float) -> None:
        self._burst = burst
        self._per_second = per_second
        self._left = float(burst)
        self._at = 0.0

    def take(self, now: float) -> bool:
        """Whether there was one left."""
        self._left = min(self._burst, self._left + max(0.0, now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
