"""Areas and places."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from integrations.gis.index import Area, AreaIndex

pytestmark = pytest.mark.unit

BIG = Area("big", shapely.box(-68, 44, -67, 45), 900)
SMALL = Area("small", shapely.box(-67.6, 44.4, -67.5, 44.5), 4)
HOLED = Area(
    "holed", shapely.Polygon(shapely.box(-66, 44, -65, 45).exterior, [shapely.box(-65.6, 44.4, -65.4, 44.6).exterior])
)
INDEX = AreaIndex([BIG, SMALL, HOLED, Area("empty", shapely.Polygon())])


def test_the_smallest_of_nested_areas_comes_first() -> None:
    assert [area.outage_id for area in INDEX.at(44.45, -67.55)] == ["small", "big"]
    assert [area.outage_id for area in INDEX.at(44.9, -67.1)] == ["big"]
    assert INDEX.at(46, -67.5) == []


def test_a_hole_is_not_inside_and_an_edge_is() -> None:
    assert INDEX.at(44.5, -65.5) == []
    assert [area.outage_id for area in INDEX.at(44.0, -65.5)] == ["holed"]


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_no_place_is_in_no_area(bad: float) -> None:
    assert INDEX.at(bad, -67.5) == []
    assert INDEX.near(44.5, bad, 100) == []


def test_an_index_without_areas_answers() -> None:
    empty = AreaIndex()
    assert (len(empty), empty.at(44, -67), empty.near(44, -67, 1000)) == (0, [], [])
    assert empty.bulk([44.0], [-67.0]).tolist() == [-1]


@given(st.lists(st.tuples(st.floats(43.5, 45.5), st.floats(-68.5, -64.5)), max_size=30))
def test_many_places_at_once_give_what_each_gives(places: list[tuple[float, float]]) -> None:
    found = INDEX.bulk([lat for lat, _ in places], [lon for _, lon in places])
    for (lat, lon), position in zip(places, found, strict=True):
        alone = INDEX.at(lat, lon)
        assert (alone[0] is INDEX.areas[position]) if alone else position == -1


def test_distances_are_in_metres() -> None:
    # One hundredth of a degree of longitude at 44.45 north is some 795 metres.
    ((area, distance),) = INDEX.near(44.45, -66.99, 900)
    assert area is BIG
    assert distance == pytest.approx(795, rel=0.01)
    assert INDEX.near(44.45, -66.99, 700) == []
    assert {(one.outage_id, metres) for one, metres in INDEX.near(44.45, -67.55, 10)} == {("big", 0.0), ("small", 0.0)}


def test_thousands_of_areas_answer_for_many_places() -> None:
    random = np.random.default_rng(7)
    lons, lats = -68 + random.random(2000), 44 + random.random(2000)
    index = AreaIndex(
        Area(str(n), shapely.Point(lon, lat).buffer(0.01), 1)
        for n, (lon, lat) in enumerate(zip(lons, lats, strict=True))
    )
    assert (index.bulk(lats, lons) >= 0).all()
