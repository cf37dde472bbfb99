"""What the simulated OMS makes of outages, calls and time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from integrations.sandbox.clock import ManualClock
from integrations.sandbox.outages import SimOutage
from integrations.sandbox.territory import Level
from integrations.sandbox.tickets import Call
from integrations.sandbox.utility import Utility

pytestmark = pytest.mark.unit


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def utility(clock: ManualClock) -> Utility:
    return Utility(7, 4000, clock=clock)


def state(utility: Utility, row: int) -> tuple[str, SimOutage | None]:
    return utility.multispeak.state_at(utility.territory.service_point(row))


def call(utility: Utility, row: int, number: int, code: str = "OUTAGE") -> Call:
    point = utility.territory.service_point(row)
    made = Call(
        f"call-{number}", code, "", "IVR", "Normal", point.account_number, point.id, "", "", "", "Meter",
        utility.clock.now(),
    )  # fmt: skip
    return utility.tickets.take(made, point)


def quiet_rows(utility: Utility, level: Level = Level.TRANSFORMER) -> list[int]:
    """The service points of a device that nothing has happened to."""
    demo = {row for rows in utility.quiet.rows.values() for row in rows}
    for index in range(utility.territory.device_count(level) - 1, -1, -1):
        row = int(utility.territory.offsets[index * {1: 1, 2: 12}[int(level)]])
        rows = utility.territory.rows(utility.territory.device_of(row, level)).tolist()
        calm = all(state(utility, one)[0] == "NoOutage" for one in rows)
        if len(rows) >= 4 and calm and not demo & set(rows):
            return rows
    raise AssertionError("no quiet device")


EXPECTED = {
    "crew_etr": ["Confirmed"],
    "no_etr": ["Confirmed"],
    "expired_etr": ["Confirmed"],
    "still_out": ["Restored"],
    "area_etr": ["Confirmed"],
    "no_outage": ["NoOutage"],
    "two_premises": ["NoOutage", "Confirmed"],
    "planned": ["Scheduled"],
    "non_pay": ["NonPay"],
    "life_support": ["Confirmed"],
    "unknown_number": ["Assumed"],
    "partial": ["NoOutage"],
    "withdrawn_etr": ["Confirmed"],
}


@pytest.mark.parametrize("size", [100, 4000, 50_000])
def test_each_hand_made_customer_is_in_the_situation_that_is_told_of_them(clock: ManualClock, size: int) -> None:
    customers = {one["key"]: one for one in Utility(20240927, size, clock=clock).demo_customers()}
    found = {key: [one["outage_status"] for one in value["premises"]] for key, value in customers.items()}
    assert found == EXPECTED
    assert customers["no_etr"]["premises"][0]["etr"] is None
    assert customers["expired_etr"]["premises"][0]["etr"] < clock.now().isoformat()
    assert customers["crew_etr"]["premises"][0]["etr"] > clock.now().isoformat()
    assert customers["unknown_number"]["phone_on_file"] is False
    assert customers["life_support"]["life_support"] is True


def test_a_quiet_day_stays_true_when_the_process_runs_for_days(utility: Utility, clock: ManualClock) -> None:
    for _ in range(48):
        clock.advance(3600)
        utility.advance()
    customers = {one["key"]: one["premises"][0] for one in utility.demo_customers()}
    now = clock.now().isoformat()
    assert customers["crew_etr"]["etr"] > now > customers["expired_etr"]["etr"]
    assert customers["planned"]["outage_status"] == "Scheduled" and customers["planned"]["etr"] > now
    assert customers["still_out"]["outage_status"] == "Restored"


def test_a_small_outage_inside_a_large_one_outlives_it(utility: Utility) -> None:
    rows = quiet_rows(utility)
    inner = utility.outages.open(utility.territory.device_of(rows[0], Level.SERVICE), rows[:1], status="Confirmed")
    outer = utility.outages.open(utility.territory.device_of(rows[0], Level.TRANSFORMER), rows, status="Confirmed")
    assert utility.outages.at(rows[0]) is outer
    utility.outages.restore(outer)
    assert state(utility, rows[0]) == ("Confirmed", inner)
    assert state(utility, rows[1]) == ("Restored", outer)
    utility.outages.restore(inner)
    assert state(utility, rows[0]) == ("Restored", inner)


def test_those_who_come_back_early_are_restored_while_the_others_stay_out(utility: Utility) -> None:
    rows = quiet_rows(utility)
    outage = utility.outages.open(utility.territory.device_of(rows[0], Level.TRANSFORMER), rows, status="Confirmed")
    utility.outages.set_members(outage, rows[2:])
    assert state(utility, rows[0]) == ("Restored", outage)
    assert state(utility, rows[2]) == ("Confirmed", outage)
    assert outage.restored_count == 2


def test_an_outage_that_vanishes_is_not_restored_and_returns_under_its_id(utility: Utility) -> None:
    rows = quiet_rows(utility)
    outage = utility.outages.open(utility.territory.device_of(rows[0], Level.TRANSFORMER), rows)
    utility.outages.hide(outage)
    assert outage not in utility.outages.active() and state(utility, rows[0])[0] == "NoOutage"
    utility.outages.show(outage)
    assert state(utility, rows[0]) == ("Assumed", outage)


def test_a_split_keeps_everyone_in_exactly_one_of_the_new_outages(utility: Utility) -> None:
    rows = quiet_rows(utility)
    device = utility.territory.device_of(rows[0], Level.TRANSFORMER)
    old = utility.outages.open(device, rows, status="Confirmed", cause="high winds")
    parts = utility.outages.replace(old, [(device, rows[:2]), (device, rows[2:])])  # type: ignore[list-item]
    assert old.id not in utility.outages.by_id
    assert {part.replaces for part in parts} == {old.id} and {part.cause for part in parts} == {"high winds"}
    assert [state(utility, row)[1] for row in rows] == [parts[0]] * 2 + [parts[1]] * (len(rows) - 2)


def test_a_merge_keeps_the_older_start(utility: Utility, clock: ManualClock) -> None:
    rows = quiet_rows(utility)
    device = utility.territory.device_of(rows[0], Level.TRANSFORMER)
    older = utility.outages.open(device, rows[:2])
    started = older.started_at
    clock.advance(600)
    keeper = utility.outages.open(device, rows[2:])
    utility.outages.absorb(keeper, older)
    assert keeper.started_at == started and older.id not in utility.outages.by_id
    assert all(state(utility, row)[1] is keeper for row in rows)


def test_restored_is_forgotten_after_a_day(utility: Utility, clock: ManualClock) -> None:
    rows = quiet_rows(utility)
    outage = utility.outages.open(utility.territory.device_of(rows[0], Level.TRANSFORMER), rows, status="Confirmed")
    utility.outages.restore(outage)
    clock.advance(timedelta(hours=25).total_seconds())
    utility.advance()
    assert state(utility, rows[0]) == ("NoOutage", None)
    assert outage.id not in utility.outages.by_id


def test_a_call_sent_five_times_is_one_ticket(utility: Utility) -> None:
    row = quiet_rows(utility)[0]
    for _ in range(5):
        kept = call(utility, row, 1)
    assert len(utility.tickets.calls) == 1 and kept.received == 5
    assert utility.outages.by_id[kept.outage_id].status == "Assumed"


def test_three_neighbours_who_call_make_it_their_transformers_outage(utility: Utility) -> None:
    rows = quiet_rows(utility)
    outages = {call(utility, row, number).outage_id for number, row in enumerate(rows[:2])}
    assert len(outages) == 2
    whole = utility.outages.by_id[call(utility, rows[2], 2).outage_id]
    assert whole.device.level is Level.TRANSFORMER and whole.members.tolist() == rows
    assert len(utility.tickets.on_outage(whole.id)) == 3
    assert utility.outages.at(rows[-1]) is whole


def test_still_out_after_a_restoration_opens_a_nested_outage_at_the_original_time(utility: Utility) -> None:
    row = utility.quiet.rows["still_out"][0]
    before = utility.outages.restored_at(row)
    assert before is not None
    kept = call(utility, row, 1, "STILL_OUT")
    status, outage = state(utility, row)
    assert status == "StillOut" and outage is not None and kept.outage_id == outage.id
    assert outage.started_at == before.started_at and outage.members.tolist() == [row]


def test_a_gas_call_or_one_from_a_disconnected_meter_opens_no_power_outage(utility: Utility) -> None:
    row = quiet_rows(utility)[0]
    assert call(utility, row, 1, "GAS_LEAK").outage_id == ""
    assert call(utility, utility.quiet.rows["non_pay"][0], 2).outage_id == ""
    assert state(utility, row)[0] == "NoOutage"


def test_reset_brings_back_the_quiet_day(utility: Utility, clock: ManualClock) -> None:
    before = [(one.status, one.members.tolist()) for one in utility.outages]
    ids = {one.id for one in utility.outages}
    utility.start_storm(1000, seed=3)
    call(utility, quiet_rows(utility)[0], 1)
    utility.reset()
    assert [(one.status, one.members.tolist()) for one in utility.outages] == before
    # Who remembers an old outage must not take it for a new one.
    assert ids.isdisjoint(one.id for one in utility.outages)
    assert not utility.tickets.calls and utility.storm is None
