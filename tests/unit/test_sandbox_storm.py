"""The storm: its figures, its repeatability, its speed."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from integrations.sandbox.clock import ManualClock
from integrations.sandbox.outages import SimOutage
from integrations.sandbox.utility import Utility

pytestmark = pytest.mark.unit

ORDER = ("NONE", "ASSIGNED", "EN_ROUTE", "ON_SITE")


@dataclass
class Watch:
    """Everything that a storm was seen to do."""

    utility: Utility
    what: Counter[str] = field(default_factory=Counter)
    sizes: dict[str, int] = field(default_factory=dict)
    etrs: dict[str, list[tuple[datetime, datetime | None]]] = field(default_factory=lambda: defaultdict(list))
    crews: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    counts: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    classes: Counter[str] = field(default_factory=Counter)
    ended: dict[str, datetime] = field(default_factory=dict)
    split: set[str] = field(default_factory=set)
    nested_survivors: int = 0
    log: list[str] = field(default_factory=list)

    def __call__(self, what: str, outage: SimOutage) -> None:
        if outage.origin != "storm":
            return
        key = outage.id
        self.what[what] += 1
        if outage.replaces:
            self.split.add(outage.replaces)
        if what in ("opened", "members"):
            self.sizes.setdefault(key, len(outage.members))
            self.counts[key].append(len(outage.members))
        if not self.etrs[key] or self.etrs[key][-1][1] != outage.etr:
            self.etrs[key].append((outage.updated_at, outage.etr))
        if not self.crews[key] or self.crews[key][-1] != outage.crew:
            self.crews[key].append(outage.crew)
        self.classes[outage.etr_class] += 1
        if what == "restored":
            self.ended[key] = outage.completed or outage.updated_at
        self.log.append(f"{what} {key} {outage.status} {outage.etr} {outage.crew} {len(outage.members)}")


def play(seed: int, customers: int, speed: float = 1.0, step: float = 600.0, **more: object) -> tuple[Utility, Watch]:
    clock = ManualClock()
    utility = Utility(11, 50_000, clock=clock)
    watch = Watch(utility)
    utility.outages.listen(watch)
    storm = utility.start_storm(customers, seed, speed, 0.0, **more)  # type: ignore[arg-type]
    while not storm.done:
        clock.advance(step)
        utility.advance()
    return utility, watch


@pytest.fixture(scope="module")
def watch() -> Watch:
    """One large storm and everything that it did."""
    return play(seed=1, customers=40_000)[1]


def test_most_outages_are_single_customers_and_a_few_are_very_large(watch: Watch) -> None:
    sizes = np.array(sorted(watch.sizes.values()))
    assert 1 <= np.median(sizes) <= 4
    assert np.percentile(sizes, 90) < 200
    assert sizes[-1] > 700
    assert sizes[-len(sizes) // 20 :].sum() > 0.6 * sizes.sum()  # a twentieth holds most of the customers


def test_most_outages_never_get_a_restoration_time(watch: Watch) -> None:
    never = [key for key in watch.ended if all(etr is None for _, etr in watch.etrs[key])]
    assert 0.53 <= len(never) / len(watch.ended) <= 0.84  # LG&E and KU; BC Hydro


def test_restoration_times_are_withdrawn_moved_earlier_and_past_when_published(watch: Watch) -> None:
    sets = withdrawn = earlier = past = 0
    for changes in watch.etrs.values():
        for (_, before), (at, after) in zip([(changes[0][0], None), *changes], changes, strict=False):
            if after is None:
                withdrawn += before is not None
                continue
            sets += before != after
            earlier += before is not None and after < before
            past += before != after and after < at
    assert sets > 100
    assert 0.01 <= withdrawn / sets <= 0.15
    assert 0 < earlier / sets <= 0.15
    assert 0 < past / sets <= 0.08


def test_some_outages_outlast_the_last_time_that_was_given(watch: Watch) -> None:
    late = [
        key for key, end in watch.ended.items()
        if (last := [etr for _, etr in watch.etrs[key] if etr is not None]) and end > last[-1]
    ]  # fmt: skip
    with_etr = [key for key in watch.ended if any(etr for _, etr in watch.etrs[key])]
    assert 0.09 <= len(late) / len(with_etr) <= 0.61  # PG&E in San Francisco; BC Hydro
    assert watch.classes["EXPIRED"] > 0


def test_every_class_of_restoration_time_occurs(watch: Watch) -> None:
    assert set(watch.classes) == {"NONE", "ASSESSING", "STATISTICAL", "AREA", "CREW", "EXPIRED"}


def test_ids_vanish_and_return_split_and_merge(watch: Watch) -> None:
    assert watch.what["hidden"] > 0 and watch.what["shown"] > 0
    assert watch.what["hidden"] > watch.what["shown"]  # some vanish for good, into others
    assert watch.split


def test_crews_leave_before_the_work_is_done(watch: Watch) -> None:
    suspended = [crews for crews in watch.crews.values() if "SUSPENDED" in crews]
    assert 0.03 <= len(suspended) / len(watch.crews) <= 0.2
    assert any(crews[crews.index("SUSPENDED") - 1] == "ON_SITE" for crews in suspended)
    assert any("NONE" in crews[crews.index("SUSPENDED") :] for crews in suspended)


def test_customer_counts_rise_and_fall_on_the_same_id(watch: Watch) -> None:
    pairs = [pair for counts in watch.counts.values() for pair in pairwise(counts)]
    assert sum(after > before for before, after in pairs) > 20
    assert sum(after < before for before, after in pairs) > 10


def test_everybody_is_back_when_the_storm_has_been_played(watch: Watch) -> None:
    left = [one for one in watch.utility.outages if one.origin == "storm" and one.completed is None]
    assert left == []


def test_the_same_seed_is_the_same_storm_however_time_passes() -> None:
    one = play(seed=5, customers=3000)[1].log
    two = play(seed=5, customers=3000, step=37.0)[1].log
    other = play(seed=6, customers=3000)[1].log
    assert one == two
    assert one != other


def test_a_faster_storm_publishes_times_that_are_as_much_nearer() -> None:
    def hours(speed: float) -> list[float]:
        utility, watch = play(seed=9, customers=3000, speed=speed, step=600 / speed)
        start = utility.clock.now()
        assert utility.storm is not None
        start = utility.storm.start
        return [
            (etr - start) / timedelta(hours=1) * speed for changes in watch.etrs.values() for _, etr in changes if etr
        ]

    slow, fast = hours(1.0), hours(60.0)
    assert len(slow) == len(fast) > 5
    assert np.allclose(slow, fast, atol=0.3)  # a slow storm rounds to the quarter of an hour


def test_about_as_many_customers_lose_power_as_were_asked_for() -> None:
    clock = ManualClock()
    utility = Utility(11, 50_000, clock=clock)
    storm = utility.start_storm(20_000, 2, 1.0, 0.0)
    seen: set[int] = set()
    utility.outages.listen(lambda what, one: seen.update(one.members.tolist()) if one.origin == "storm" else None)
    while not storm.done:
        clock.advance(600)
        utility.advance()
    assert 18_000 <= len(seen) <= 27_000


def test_a_storm_that_is_under_way_has_customers_out_at_once_and_stops_when_told() -> None:
    utility = Utility(11, 50_000, clock=ManualClock())
    before = utility.outages.rows_out()
    utility.start_storm(20_000, 2)
    assert utility.outages.rows_out() > before + 5000
    assert min(one.started_at for one in utility.outages.active()) < utility.clock.now() - timedelta(minutes=30)
    assert utility.stop_storm()
    assert utility.outages.rows_out() == before
    assert not utility.stop_storm()


@pytest.mark.parametrize("spare_demo", [True, False])
def test_hand_made_situations_survive_a_storm(spare_demo: bool) -> None:
    utility = Utility(11, 50_000, clock=ManualClock())
    before = {one["key"]: one["premises"] for one in utility.demo_customers()}
    utility.start_storm(45_000, 4, head_start_minutes=300, spare_demo=spare_demo)
    after = {one["key"]: one["premises"] for one in utility.demo_customers()}
    kept = {key for key in before if before[key] == after[key]}
    assert {"crew_etr", "no_etr", "expired_etr", "still_out", "non_pay", "planned", "withdrawn_etr"} <= kept
    assert kept == set(before) or not spare_demo
