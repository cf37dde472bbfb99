"""The circuit breaker's rules, on a clock of its own."""

from __future__ import annotations

import pytest

from integrations.base.breaker import CircuitBreaker

pytestmark = pytest.mark.unit


def test_it_opens_after_failures_in_a_row_only() -> None:
    breaker = CircuitBreaker(failures=2, clock=lambda: 0.0)
    breaker.failed()
    breaker.succeeded()
    breaker.failed()
    assert breaker.allows
    breaker.failed()
    assert not breaker.allows


def test_one_probe_goes_after_each_cool_down_and_they_become_rarer() -> None:
    now = [0.0]
    breaker = CircuitBreaker(failures=1, cool_down=5.0, longest=15.0, clock=lambda: now[0])
    breaker.failed()
    assert not breaker.take_probe()
    waits = []
    for _ in range(4):
        waits.append(breaker.probe_in)
        now[0] += breaker.probe_in
        assert breaker.take_probe()
        assert not breaker.take_probe()
        breaker.failed()
    assert waits == [5.0, 10.0, 15.0, 15.0]
    breaker.succeeded()
    assert breaker.allows
    assert not breaker.take_probe()
    assert breaker.probe_in == 0.0
