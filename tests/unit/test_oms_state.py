"""The board's memory: order, vanishing ids, splits, withdrawn times."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.oms.models import EtrClass, Event, Outage, OutageStatus
from integrations.oms.state import BoardState

pytestmark = pytest.mark.unit

T0 = datetime(2026, 1, 20, 12, 0, tzinfo=UTC)


def minutes(count: float) -> datetime:
    return T0 + timedelta(minutes=count)


def outage(outage_id: str, at: float, sequence: int | None = None, **fields: object) -> Event:
    values = {"status": OutageStatus.CONFIRMED, "started_at": T0, "updated_at": minutes(at)} | fields
    return Event("outage", outage_id, minutes(at), sequence, Outage(outage_id, **values))  # type: ignore[arg-type]


def affected(outage_id: str, at: float, *points: str) -> Event:
    return Event("affected", outage_id, minutes(at), service_points=points)


def restored(outage_id: str, at: float) -> Event:
    return outage(outage_id, at, status=OutageStatus.RESTORED)


def board(*events: Event) -> BoardState:
    state = BoardState()
    for event in events:
        state.apply(event, event.at)
    return state


def test_a_service_point_is_found_whichever_of_the_two_pushes_comes_first() -> None:
    for events in ((outage("A", 0), affected("A", 1, "SP1")), (affected("A", 1, "SP1"), outage("A", 2))):
        found = board(*events).find("SP1", "", minutes(3))
        assert found is not None
        assert found.outage_id == "A"


def test_a_meter_finds_its_outage_when_the_oms_gave_meters_only() -> None:
    state = board(outage("A", 0), Event("affected", "A", T0, meters=("M1",)))
    assert state.find("SP9", "M1", T0) is not None
    assert state.find("SP9", "M2", T0) is None


def test_an_older_push_that_comes_late_changes_nothing() -> None:
    state = board(outage("A", 10, customers_out=5), outage("A", 5, customers_out=99), affected("A", 10, "SP1"))
    found = state.find("SP1", "", minutes(11))
    assert found is not None
    assert found.customers_out == 5
    assert not state.apply(affected("A", 9, "SP2"), minutes(12))


def test_the_omss_own_counter_orders_events_when_it_has_one() -> None:
    state = board(affected("A", 0, "SP1"), outage("A", 9, sequence=2, customers_out=2))
    assert not state.apply(outage("A", 10, sequence=1, customers_out=1), minutes(10))
    assert state.apply(outage("A", 1, sequence=3, customers_out=3), minutes(11))
    found = state.find("SP1", "", minutes(12))
    assert found is not None
    assert found.customers_out == 3


def test_a_late_confirmation_does_not_reopen_what_was_restored() -> None:
    state = board(outage("A", 0), affected("A", 0, "SP1"), restored("A", 10), outage("A", 9))
    found = state.find("SP1", "", minutes(11))
    assert found is not None
    assert found.status is OutageStatus.RESTORED


def test_a_withdrawn_time_is_noticed_and_stays_withdrawn() -> None:
    state = board(
        affected("A", 0, "SP1"),
        outage("A", 0, etr=minutes(90), etr_class=EtrClass.CREW),
        outage("A", 5, etr_class=EtrClass.NONE),
        outage("A", 6, etr_class=EtrClass.NONE),
    )
    found = state.find("SP1", "", minutes(7))
    assert found is not None
    assert (found.etr_withdrawn, found.etr_class, found.etr) == (True, EtrClass.ASSESSING, None)
    state.apply(outage("A", 8, etr=minutes(120), etr_class=EtrClass.CREW), minutes(8))
    again = state.find("SP1", "", minutes(9))
    assert again is not None
    assert (again.etr_withdrawn, again.etr_class) == (False, EtrClass.CREW)


def test_a_time_that_passes_while_it_is_kept_becomes_expired() -> None:
    state = board(affected("A", 0, "SP1"), outage("A", 0, etr=minutes(30), etr_class=EtrClass.CREW))
    before, after = state.find("SP1", "", minutes(29)), state.find("SP1", "", minutes(30))
    assert before is not None
    assert after is not None
    assert (before.etr_class, after.etr_class) == (EtrClass.CREW, EtrClass.EXPIRED)


def test_an_id_that_vanishes_is_not_a_restoration_and_comes_back_as_it_was() -> None:
    state = board(affected("A", 0, "SP1"), outage("A", 0, etr=minutes(90), etr_class=EtrClass.CREW))
    assert state.snapshot([], minutes(5)) == ["A"]
    assert state.find("SP1", "", minutes(6)) is None
    known = state.last_known("SP1", "", minutes(6))
    assert known is not None
    assert known[1] == minutes(5)
    assert state.last_known("SP1", "", minutes(60)) is None
    state.snapshot([outage("A", 0)], minutes(10))
    found = state.find("SP1", "", minutes(11))
    assert found is not None
    assert found.etr_withdrawn


def test_a_push_after_the_list_was_asked_for_is_newer_than_the_list() -> None:
    state = board(outage("A", 0), affected("A", 0, "SP1"))
    state.apply(outage("A", 5, customers_out=7), minutes(5))
    state.apply(outage("B", 5), minutes(5))
    assert state.snapshot([outage("A", 4.5, customers_out=1)], minutes(4)) == []
    found = state.find("SP1", "", minutes(6))
    assert found is not None
    assert found.customers_out == 7


def test_a_split_keeps_the_start_and_the_withdrawn_time_for_who_moved() -> None:
    state = board(affected("A", 0, "SP1", "SP2"), outage("A", 0, etr=minutes(90), etr_class=EtrClass.AREA))
    state.apply(affected("A", 10, "SP2"), minutes(10))
    assert state.find("SP1", "", minutes(10)) is None
    state.apply(outage("B", 11, started_at=minutes(11)), minutes(11))
    state.apply(affected("B", 11, "SP1"), minutes(11))
    found = state.find("SP1", "", minutes(12))
    assert found is not None
    assert (found.outage_id, found.started_at) == ("B", T0)
    assert (found.etr_withdrawn, found.etr_class) == (True, EtrClass.ASSESSING)


def test_a_small_outage_inside_a_large_one_goes_on_when_the_large_one_ends() -> None:
    state = board(
        outage("feeder", 0, customers_out=900),
        affected("feeder", 0, "SP1", "SP2"),
        outage("fuse", 5, customers_out=4, started_at=minutes(5)),
        affected("fuse", 5, "SP1"),
    )
    first = state.find("SP1", "", minutes(6))
    assert first is not None
    assert first.outage_id == "feeder"
    state.apply(restored("feeder", 60), minutes(60))
    found, neighbour = state.find("SP1", "", minutes(61)), state.find("SP2", "", minutes(61))
    assert found is not None
    assert neighbour is not None
    assert (found.outage_id, found.status, found.started_at) == ("fuse", OutageStatus.CONFIRMED, T0)
    assert neighbour.status is OutageStatus.RESTORED


def test_restored_is_understood_when_the_emptied_list_comes_first() -> None:
    state = board(
        outage("A", 0),
        affected("A", 0, "SP1"),
        affected(
            "A",
            10,
        ),
        restored("A", 10),
    )
    found = state.find("SP1", "", minutes(11))
    assert found is not None
    assert found.status is OutageStatus.RESTORED


def test_an_outage_that_opens_again_has_its_customers_again() -> None:
    state = board(
        outage("A", 0), affected("A", 0, "SP1"), restored("A", 10), outage("A", 12, status=OutageStatus.STILL_OUT)
    )
    found = state.find("SP1", "", minutes(13))
    assert found is not None
    assert found.status is OutageStatus.STILL_OUT
    assert state.wanting_members() == ["A"]


def test_a_present_outage_is_told_before_planned_work_and_restoration_before_planned_work() -> None:
    planned = outage("P", 0, status=OutageStatus.SCHEDULED, planned=True, customers_out=500)
    state = board(planned, affected("P", 0, "SP1"), outage("A", 1, customers_out=1), affected("A", 1, "SP1"))
    first = state.find("SP1", "", minutes(2))
    state.apply(restored("A", 5), minutes(5))
    second = state.find("SP1", "", minutes(6))
    third = state.find("SP1", "", minutes(6) + timedelta(hours=13))
    assert [one.outage_id for one in (first, second, third) if one] == ["A", "A", "P"]


def test_nonpay_in_the_list_of_outages_is_no_outage() -> None:
    state = board(outage("A", 0, status=OutageStatus.NON_PAY), affected("A", 0, "SP1"))
    assert state.find("SP1", "", minutes(1)) is None
    assert state.active() == []


def test_a_record_that_is_deleted_after_its_restoration_claims_nothing() -> None:
    state = board(outage("A", 0), affected("A", 0, "SP1"), restored("A", 1), Event("gone", "A", minutes(2)))
    assert state.find("SP1", "", minutes(3)) is None


def test_members_are_asked_for_when_unknown_or_when_the_count_changed() -> None:
    state = board(outage("A", 0, customers_out=2))
    assert state.wanting_members() == ["A"]
    state.apply(affected("A", 1, "SP1", "SP2"), minutes(1))
    assert state.wanting_members() == []
    state.apply(outage("A", 2, customers_out=1), minutes(2))
    assert state.wanting_members() == ["A"]


def test_a_board_begins_again_with_what_was_kept() -> None:
    first = board(outage("A", 0), affected("A", 0, "SP1"), outage("B", 0), affected("B", 0, "SP2"), restored("B", 5))
    second = BoardState()
    second.load(first.to_dict())
    for point in ("SP1", "SP2", "SP3"):
        assert second.find(point, "", minutes(6)) == first.find(point, "", minutes(6))


def test_what_is_old_is_forgotten() -> None:
    state = board(outage("A", 0), affected("A", 0, "SP1"), restored("A", 1), outage("B", 0), affected("B", 0, "SP2"))
    state.snapshot([], minutes(2))
    state.forget_old(minutes(2) + timedelta(hours=13))
    assert state.to_dict() == {"outages": [], "members": {}, "restored": {}}


EVENTS = [
    outage("A", 0, etr=minutes(90), etr_class=EtrClass.CREW),
    outage("A", 4),
    outage("A", 8, status=OutageStatus.STILL_OUT, etr=minutes(120), etr_class=EtrClass.CREW),
    affected("A", 2, "SP1", "SP2"),
    affected("A", 6, "SP1"),
]


@given(st.permutations(EVENTS), st.lists(st.sampled_from(EVENTS), max_size=5))
def test_any_order_and_any_number_of_the_same_pushes_end_the_same(order: list[Event], again: list[Event]) -> None:
    state = BoardState()
    for event in [*order, *again]:
        state.apply(event, minutes(9))
    found = state.find("SP1", "", minutes(9))
    assert found is not None
    assert replace(found, started_at=None) == replace(EVENTS[2].outage, started_at=None)  # type: ignore[type-var]
    assert state.find("SP2", "", minutes(9)) is None
    assert state.members("A") == {"SP1"}
