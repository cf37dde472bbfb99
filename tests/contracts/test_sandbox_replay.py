"""Recorded storms, played onto the fictional area."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from integrations.sandbox.clock import ManualClock
from integrations.sandbox.replay import read
from integrations.sandbox.utility import Utility

pytestmark = pytest.mark.contract

OUTAGES = Path(__file__).resolve().parents[3] / "shared" / "data" / "outages"


def recording(name: str) -> Path:
    path = OUTAGES / name
    if not path.exists():
        pytest.skip(f"the recorded storm {name} is not beside the project (../shared/data/outages)")
    return path


def write(tmp_path: Path, *events: dict[str, Any]) -> Path:
    path = tmp_path / "feed.jsonl"
    path.write_text("\n".join(json.dumps(event) for event in events), encoding="utf-8")
    return path


def event(t: str, ev: str, key: str = "1", **fields: Any) -> dict[str, Any]:
    return {"t": f"2024-01-01T{t}:00Z", "ev": ev, "id": key} | fields


def finish(utility: Utility, clock: ManualClock, step: float) -> None:
    assert utility.replay is not None
    while not utility.replay.done:
        clock.advance(step)
        utility.advance()


@pytest.mark.parametrize(
    ("name", "speed", "ids"),
    [("pge_2021_storm.jsonl", 3600.0, 7152), ("lgeku_2024-09-27_louisville_metro.jsonl", 600.0, 879)],
)
def test_a_recorded_storm_plays_to_its_end_at_speed(name: str, speed: float, ids: int) -> None:
    path = recording(name)
    clock = ManualClock()
    utility = Utility(7, 50_000, clock=clock)
    seen: set[str] = set()
    classes: set[str] = set()
    peak = 0

    def watch(what: str, outage: Any) -> None:
        if outage.origin == "replay":
            seen.add(outage.id)
            classes.add(outage.etr_class)

    utility.outages.listen(watch)
    replay = utility.start_replay(path, speed)
    while not replay.done:
        clock.advance(replay.length / speed / 60)
        utility.advance()
        peak = max(peak, utility.outages.rows_out())
    assert len(seen) == ids
    assert 0.15 * utility.territory.size < peak <= utility.territory.size or "lgeku" in name
    if "lgeku" in name:
        assert classes == {"NONE", "ASSESSING", "STATISTICAL", "AREA", "CREW", "EXPIRED"}


def test_an_id_that_comes_back_was_not_restored_in_between(tmp_path: Path) -> None:
    place = {"lat": 40.0, "lon": -100.0, "customers": 5}
    path = write(
        tmp_path,
        event("00:00", "new", **place),
        event("00:10", "cleared"),
        event("00:20", "new", **place),
        event("00:30", "cleared"),
    )
    clock = ManualClock()
    utility = Utility(7, 4000, clock=clock)
    utility.start_replay(path, 1.0)
    states = []
    for _ in range(4):
        utility.advance()
        outage = utility.outages.by_id["1"]
        states.append((outage.active, outage.completed is not None))
        clock.advance(600)
    assert states == [(True, False), (False, False), (True, False), (False, True)]


def test_literal_times_and_withdrawals_of_real_feeds_are_understood(tmp_path: Path) -> None:
    place = {"lat": 40.0, "lon": -100.0, "customers": 5}
    path = write(
        tmp_path,
        event("00:00", "new", etr="2024-01-01T00:05:00Z", crew="A crew is on-site", cause="Trees or limbs", **place),
        event("00:10", "update", etr="ETR-EXP", comments="The previous estimated time of restoration has expired"),
        event("00:20", "update", etr="ETR-NULL", comments="We will provide an estimated time as soon as possible."),
        event("00:30", "update", etr=None, customers=2),
    )
    clock = ManualClock()
    utility = Utility(7, 4000, clock=clock)
    utility.start_replay(path, 1.0)
    seen = []
    for _ in range(4):
        utility.advance()
        one = utility.outages.by_id["1"]
        seen.append((one.etr is not None, one.etr_class, one.etr_withdrawn, len(one.members)))
        clock.advance(600)
    assert seen == [
        (True, "CREW", False, 5),
        (True, "EXPIRED", False, 5),
        (False, "ASSESSING", True, 5),
        (False, "ASSESSING", True, 2),
    ]
    assert utility.outages.by_id["1"].cause == "a tree on the lines"


def test_a_file_that_is_no_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        read(write(tmp_path, {"hello": 1}))
