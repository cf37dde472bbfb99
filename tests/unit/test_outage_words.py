"""Times and numbers are said as people say them, and never more exactly than they are known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.outage import words

pytestmark = pytest.mark.unit
ZONE = "America/New_York"
NOW = datetime(2026, 6, 10, 18, 20, tzinfo=UTC)  # 2:20 PM in New York


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (datetime(2026, 6, 10, 20, 30, tzinfo=UTC), "4:30 PM today"),
        (datetime(2026, 6, 10, 21, 0, tzinfo=UTC), "5 PM today"),
        (datetime(2026, 6, 11, 4, 0, tzinfo=UTC), "12 AM tomorrow"),
        (datetime(2026, 6, 11, 16, 0, tzinfo=UTC), "12 PM tomorrow"),
        (datetime(2026, 6, 9, 23, 5, tzinfo=UTC), "7:05 PM yesterday"),
        (datetime(2026, 6, 13, 18, 0, tzinfo=UTC), "2 PM on Saturday"),
        (datetime(2026, 6, 24, 18, 0, tzinfo=UTC), "2 PM on Wednesday, June 24"),
        (datetime(2026, 6, 1, 18, 0, tzinfo=UTC), "2 PM on Monday, June 1"),
    ],
)
def test_a_moment_is_said_from_the_customers_point_of_view(moment: datetime, said: str) -> None:
    assert words.when(moment, NOW, ZONE) == said


def test_an_estimate_is_rounded_up_to_the_quarter_so_that_it_never_promises_earlier() -> None:
    assert words.estimate(datetime(2026, 6, 10, 20, 31, 12, tzinfo=UTC), NOW, ZONE) == "4:45 PM today"
    assert words.estimate(datetime(2026, 6, 10, 20, 30, tzinfo=UTC), NOW, ZONE) == "4:30 PM today"
    assert words.estimate(datetime(2026, 6, 11, 3, 59, tzinfo=UTC), NOW, ZONE) == "12 AM tomorrow"


@given(st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)))
def test_no_estimate_is_earlier_than_the_time_that_was_given(naive: datetime) -> None:
    exact = naive.replace(tzinfo=UTC)
    quarters = [exact.replace(minute=0, second=0, microsecond=0) + timedelta(minutes=15 * n) for n in range(6)]
    expected = next(quarter for quarter in quarters if quarter >= exact)
    assert words.estimate(exact, NOW, ZONE) == words.when(expected, NOW, ZONE)


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=30), "at 1:50 PM"),
        (timedelta(hours=20), "at 6:20 PM yesterday"),
    ],
)
def test_the_age_of_an_answer_is_said(ago: timedelta, said: str) -> None:
    assert words.as_of(NOW - ago, NOW, ZONE) == said


@pytest.mark.parametrize(
    ("count", "said"), [(7, "7"), (98, "98"), (243, "240"), (1_284, "1,300"), (12_345, "12,000"), (253_095, "253,000")]
)
def test_a_number_of_customers_is_as_exact_as_it_is_useful(count: int, said: str) -> None:
    assert words.customers(count) == said
