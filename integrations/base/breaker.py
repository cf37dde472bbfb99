"""A circuit breaker: after a few failures in a row a dead system is left alone for a while.

Callers ask `allows` before a call and report `succeeded` or `failed` after it. While open, nobody is let through
until the cool-down is over; then exactly one probe is (`take_probe`), and its outcome decides. Each failed probe
doubles the cool-down up to a limit.
"""

from __future__ import annotations

import time

from integrations.base.clock import Monotonic


class CircuitBreaker:
    """Counts failures in a row and says when to stop trying.

    Args:
        failures: how many in a row open it.
        cool_down: seconds until the first probe.
        longest: the most seconds between probes.
        clock: a monotonic clock in seconds.
    """

    def __init__(
        self, failures: int = 3, cool_down: float = 5.0, longest: float = 60.0, clock: Monotonic = time.monotonic
    ) -> None:
        self._limit = failures
        self._first = cool_down
        self._longest = longest
        self._clock = clock
        self._in_a_row = 0
        self._wait = cool_down
        self._probe_at = 0.0

    @property
    def allows(self) -> bool:
        """Whether an ordinary call may be made now."""
        return self._in_a_row < self._limit

    @property
    def probe_in(self) -> float:
        """Seconds until a probe may be made; 0 when it may be made now or none is needed."""
        return 0.0 if self.allows else max(0.0, self._probe_at - self._clock())

    def take_probe(self) -> bool:
        """Claim the one probe that is due; False while it is too early or somebody else has it."""
        now = self._clock()
        if self.allows or now < self._probe_at:
            return False
        self._probe_at = now + self._wait
        return True

    def succeeded(self) -> None:
        """The system answered: close."""
        self._in_a_row = 0
        self._wait = self._first

    def failed(self) -> None:
        """The system did not answer."""
        self._in_a_row += 1
        if self._in_a_row == self._limit:
            self._probe_at = self._clock() + self._wait
        elif self._in_a_row > self._limit:
            self._wait = min(self._wait * 2, self._longest)
            self._probe_at = self._clock() + self._wait
