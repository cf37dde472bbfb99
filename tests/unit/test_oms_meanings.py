"""What an OMS's words become."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from integrations.oms.meanings import cause_of, crew_of, etr_class_of, moment_of, settle_etr, status_of
from integrations.oms.models import Cause, CrewStatus, EtrClass, OutageStatus

pytestmark = pytest.mark.unit

NOW = datetime(2026, 1, 20, 15, 0, tzinfo=UTC)
SOON = NOW + timedelta(hours=2)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Assumed", OutageStatus.ASSUMED),
        ("StillOut", OutageStatus.STILL_OUT),
        ("NonPay", OutageStatus.NON_PAY),
        ("Scheduled", OutageStatus.SCHEDULED),
        ("NoOutage", OutageStatus.NO_OUTAGE),
        ("partiallyRestored", OutageStatus.CONFIRMED),
        ("Other", OutageStatus.UNKNOWN),
        (None, OutageStatus.UNKNOWN),
    ],
)
def test_statuses_of_multispeak_and_cim_are_known(text: str | None, expected: OutageStatus) -> None:
    assert status_of(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PG&E has assigned a crew to assess the outage.", CrewStatus.ASSIGNED),
        ("PG&E assessment crew is en route to the outage.", CrewStatus.EN_ROUTE),
        ("PG&E is sending a repair crew to the outage location.", CrewStatus.EN_ROUTE),
        ("PG&E repair crew is on-site working to restore power.", CrewStatus.ON_SITE),
        ("PG&E is assessing the cause at the outage location.", CrewStatus.ON_SITE),
        ("Our crew was unable to access the outage location", CrewStatus.SUSPENDED),
        ("Awaiting T-Man", CrewStatus.NONE),
        ("T-Man Enroute", CrewStatus.EN_ROUTE),
        ("Crew On Site", CrewStatus.ON_SITE),
        ("No Access", CrewStatus.SUSPENDED),
        ("No crew assigned yet", CrewStatus.NONE),
        ("Crew on their way", CrewStatus.EN_ROUTE),
        ("Suspended", CrewStatus.SUSPENDED),
        ("awaitingCrewAssignment", CrewStatus.NONE),
        ("enroute", CrewStatus.EN_ROUTE),
        ("arrived", CrewStatus.ON_SITE),
        ("fieldComplete", CrewStatus.ON_SITE),
        ("EN_ROUTE", CrewStatus.EN_ROUTE),
        ("NONE", CrewStatus.NONE),
        ("", None),
        ("T14", None),
    ],
)
def test_crew_sentences_of_real_feeds_are_understood(text: str, expected: CrewStatus | None) -> None:
    assert crew_of(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("This estimated time of restoration is based upon the time it usually takes to restore service",
         EtrClass.STATISTICAL),
        ("is based on an evaluation of the situation by our technicians.", EtrClass.CREW),
        ("applies to all customers without power in this area. We are working to provide a restoration time for your "
         "specific outage", EtrClass.AREA),
        ("The previous estimated time of restoration has expired and we are re-evaluating", EtrClass.EXPIRED),
        ("Due to the number of outages in your area an estimated time is not currently available", EtrClass.ASSESSING),
        ("We are aware of outages and will provide an estimate as soon as possible", EtrClass.ASSESSING),
        ("CREW", EtrClass.CREW),
        ("", None),
    ],
)  # fmt: skip
def test_provenance_sentences_become_classes(text: str, expected: EtrClass | None) -> None:
    assert etr_class_of(text) is expected


def test_a_cause_names_no_equipment_of_the_network() -> None:
    assert cause_of("Recloser R-1423 locked out, tree on line at Mill substation") is Cause.TREE
    assert cause_of("Recloser R-1423 locked out") is None
    assert cause_of("PG&E is investigating the cause of your outage.") is None
    assert cause_of(None, "Elm Street") is None


def test_a_time_without_a_zone_is_the_utilitys_wall_clock() -> None:
    assert moment_of("2026-01-20T10:00:00") == datetime(2026, 1, 20, 15, 0, tzinfo=UTC)
    assert moment_of("2026-07-20T10:00:00") == datetime(2026, 7, 20, 14, 0, tzinfo=UTC)
    assert moment_of("2026-01-20T10:00:00Z") == datetime(2026, 1, 20, 10, 0, tzinfo=UTC)
    assert moment_of("2026-01-20T10:00:00-08:00") == datetime(2026, 1, 20, 18, 0, tzinfo=UTC)
    assert moment_of("2026-01-20T10:00", ZoneInfo("UTC")) == datetime(2026, 1, 20, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize("text", [None, "", "null", "ETR-NULL", "ETR-EXP", "0001-01-01T00:00:00", "soon", "13:00"])
def test_what_stands_in_for_no_time_is_no_time(text: str | None) -> None:
    assert moment_of(text) is None


def test_a_time_that_has_passed_is_never_a_promise() -> None:
    past = (NOW - timedelta(minutes=1)).isoformat()
    assert settle_etr(past, EtrClass.CREW, CrewStatus.ON_SITE, True, NOW)[1] is EtrClass.EXPIRED


def test_a_time_of_unknown_origin_is_worded_as_the_weakest() -> None:
    assert settle_etr(SOON.isoformat(), None, CrewStatus.ON_SITE, True, NOW) == (SOON, EtrClass.STATISTICAL)


def test_a_class_that_needs_a_time_becomes_assessing_without_one() -> None:
    assert settle_etr("ETR-NULL", EtrClass.AREA, CrewStatus.NONE, True, NOW) == (None, EtrClass.ASSESSING)
    assert settle_etr(None, None, CrewStatus.NONE, True, NOW) == (None, EtrClass.NONE)
    assert settle_etr("ETR-EXP", None, CrewStatus.NONE, True, NOW) == (None, EtrClass.EXPIRED)


def test_a_time_that_customers_are_not_to_hear_is_dropped() -> None:
    assert settle_etr(SOON.isoformat(), EtrClass.CREW, CrewStatus.ON_SITE, False, NOW) == (None, EtrClass.ASSESSING)
