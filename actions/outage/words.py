"""Times and numbers as people say them. Sentences are the designers' (data/outage/domain.yml)."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo


def clock(moment: datetime) -> str:
    """``4:30 PM``, or ``5 PM`` on the hour."""
    hour = moment.hour % 12 or 12
    minutes = f":{moment.minute:02d}" if moment.minute else ""
    return f"{hour}{minutes} {'PM' if moment.hour >= 12 else 'AM'}"


def when(moment: datetime, now: datetime, zone: str) -> str:
    """A moment from the customer's point of view.

    Args:
        moment: aware.
        now: aware.
        zone: IANA name of the utility's time zone.

    Returns:
        ``4:30 PM today``, ``9 AM tomorrow``, ``11 PM yesterday``, ``2 PM on Saturday`` within a week, else
        ``2 PM on Saturday, March 5``.
    """
    there, here = moment.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone))
    days = (there.date() - here.date()).days
    if days in (-1, 0, 1):
        return f"{clock(there)} {('yesterday', 'today', 'tomorrow')[days + 1]}"
    if 0 < days < 7:
        return f"{clock(there)} on {there:%A}"
    return f"{clock(there)} on {there:%A, %B} {there.day}"


def estimate(moment: datetime, now: datetime, zone: str) -> str:
    """A restoration time, rounded up to the quarter of an hour: nobody knows it to the minute."""
    past = timedelta(minutes=moment.minute % 15, seconds=moment.second, microseconds=moment.microsecond)
    return when(moment - past + timedelta(minutes=15) if past else moment, now, zone)


def as_of(moment: datetime, now: datetime, zone: str) -> str:
    """When something was known: ``just now``, ``at 3:10 PM``, or with its day."""
    if timedelta(0) <= now - moment < timedelta(seconds=90):
        return "just now"
    there, here = moment.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone))
    return f"at {clock(there)}" if there.date() == here.date() else f"at {when(moment, now, zone)}"


def customers(count: int) -> str:
    """A number of customers, as exact as it is useful: 7, 240, 1,300, 12,000."""
    if count < 100:
        return str(count)
    if count < 1_000:
        return str(round(count, -1))
    return f"{round(count, -2 if count < 10_000 else -3):,}"
