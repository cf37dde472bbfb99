from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.outreach.decide import Notice, decide
from bot.outreach.wording import text_of
from integrations.base.utility import Utility
from integrations.oms.models import EtrClass, Outage, OutageStatus
from integrations.twilio.sms import segments

pytestmark = pytest.mark.unit

NOW = datetime(2026, 3, 5, 20, 0, tzinfo=UTC)  # 3 PM in New York
SUBSCRIBED = NOW - timedelta(hours=1)
FACTS = Utility(utility="Juniper Bay Energy", human_phone="555-0100", emergency_phone="555-0199")


def out(etr_minutes: float | None = None, **more: object) -> Outage:
    values: dict[str, object] = {
        "status": OutageStatus.CONFIRMED,
        "etr": NOW + timedelta(minutes=etr_minutes) if etr_minutes is not None else None,
        "etr_class": EtrClass.CREW,
        "updated_at": NOW,
        **more,
    }
    return Outage("OUT-1", **values)  # type: ignore[arg-type]


def told(minutes: float) -> str:
    return f"etr:{(NOW + timedelta(minutes=minutes)).isoformat()}"


def kind(outage: Outage | None, last: str = "") -> str | None:
    notice = decide(outage, last, SUBSCRIBED, NOW)
    return notice.kind if notice else None


def test_the_first_restoration_time_is_told() -> None:
    assert kind(out(90)) == "first"


def test_what_the_customer_heard_when_subscribing_is_not_told_again() -> None:
    assert kind(out(90, updated_at=SUBSCRIBED - timedelta(minutes=5))) == "known"


@pytest.mark.parametrize(
    ("minutes", "expected"), [(90, None), (119, None), (61, None), (120, "changed"), (60, "changed")]
)
def test_a_change_is_told_from_half_an_hour_on(minutes: float, expected: str | None) -> None:
    assert kind(out(minutes), told(90)) == expected


def test_a_time_that_passes_is_owned_up_to_with_the_new_one_or_without() -> None:
    without = decide(out(None), told(-1), SUBSCRIBED, NOW)
    passed = decide(out(-1), told(-1), SUBSCRIBED, NOW)
    new = decide(out(20), told(-1), SUBSCRIBED, NOW)
    assert without == passed and without is not None and (without.kind, without.etr) == ("missed", None)
    assert new is not None and new.kind == "missed" and new.etr == NOW + timedelta(minutes=20)


def test_a_missed_time_is_told_once() -> None:
    missed = decide(out(None), told(-1), SUBSCRIBED, NOW)
    assert missed is not None and kind(out(None), missed.mark) is None
    assert kind(out(45), missed.mark) == "first"


def test_a_withdrawn_time_is_no_news_until_it_passes() -> None:
    assert kind(out(None, etr_withdrawn=True, etr_class=EtrClass.ASSESSING), told(30)) is None


def test_a_restoration_is_told_once_and_asks_back() -> None:
    restored = out(None, status=OutageStatus.RESTORED)
    notice = decide(restored, told(30), SUBSCRIBED, NOW)
    assert notice is not None and notice.kind == "restored"
    assert kind(restored, notice.mark) is None
    assert "ON or OFF" in text_of(notice, FACTS, "14 Lantern Lane", "en", NOW)


def test_power_that_goes_out_again_is_news_again() -> None:
    assert kind(out(60), "restored:OUT-0") == "first"


def test_what_proves_nothing_is_not_told() -> None:
    assert kind(None, told(-1)) is None
    assert kind(out(60, planned=True)) is None
    assert kind(out(60, status=OutageStatus.UNKNOWN)) is None
    assert kind(out(None, status=OutageStatus.RESTORED, updated_at=SUBSCRIBED - timedelta(hours=1))) is None


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("etr_class", [EtrClass.CREW, EtrClass.AREA, EtrClass.STATISTICAL])
@pytest.mark.parametrize("what", ["first", "changed", "missed"])
def test_a_notice_is_at_most_two_segments_and_names_the_utility(what: str, etr_class: EtrClass, language: str) -> None:
    notice = Notice(what, "", NOW + timedelta(minutes=97), etr_class, NOW if what == "missed" else None)  # type: ignore[arg-type]
    text = text_of(notice, FACTS, "14 Lantern Lane", language, NOW)
    assert text.startswith("Juniper Bay Energy") and "4:45 PM" in text
    assert segments(text).count <= (2 if language == "en" else 4)


def test_a_time_on_another_day_says_which() -> None:
    notice = Notice("first", "", NOW + timedelta(hours=18), EtrClass.CREW)
    assert "9 AM tomorrow" in text_of(notice, FACTS, "", "en", NOW)
