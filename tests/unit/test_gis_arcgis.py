"""ArcGIS answers, whole, in pages, and broken."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
import shapely

from integrations.gis.arcgis import ArcGisLayer, GisUnavailable, geometry_of

pytestmark = pytest.mark.unit

SQUARE = [[-68, 44], [-68, 45], [-67, 45], [-67, 44], [-68, 44]]
HOLE = [[-67.6, 44.4], [-67.4, 44.4], [-67.4, 44.6], [-67.6, 44.6], [-67.6, 44.4]]


def feature(number: int) -> dict[str, Any]:
    return {"attributes": {"OBJECTID": number, "OUTAGE_ID": f"A{number}"}, "geometry": {"rings": [SQUARE]}}


def layer(answer: Any, **more: Any) -> ArcGisLayer:
    def serve(request: httpx.Request) -> httpx.Response:
        result = answer(request) if callable(answer) else answer
        return result if isinstance(result, httpx.Response) else httpx.Response(200, json=result)

    http = httpx.AsyncClient(transport=httpx.MockTransport(serve))
    return ArcGisLayer("http://gis.example.com/FeatureServer/1", http=http, **more)


async def test_pages_are_read_to_the_end() -> None:
    asked = []

    def serve(request: httpx.Request) -> dict[str, Any]:
        asked.append(dict(request.url.params))
        start = int(request.url.params["resultOffset"])
        return {
            "features": [feature(n) for n in range(start, min(start + 2, 5))],
            "exceededTransferLimit": start + 2 < 5,
        }

    found = await layer(serve, page_size=2).query(point=(44.5, -67.5), distance_m=100)
    assert [one.get("outageId") for one in found] == ["A0", "A1", "A2", "A3", "A4"]
    assert json.loads(asked[0]["geometry"]) == {"x": -67.5, "y": 44.5, "spatialReference": {"wkid": 4326}}
    assert (asked[0]["outSR"], asked[0]["units"]) == ("4326", "esriSRUnit_Meter")


async def test_a_server_without_paging_does_not_hold_us_for_ever() -> None:
    with pytest.raises(GisUnavailable, match="paging"):
        await layer({"features": [feature(1)], "exceededTransferLimit": True}).query()


@pytest.mark.parametrize(
    "answer",
    [
        {"error": {"code": 400, "message": "Invalid", "details": []}},
        {"features": None},
        {"features": [{"geometry": {}}]},
        [],
        httpx.Response(200, content=b'{"features": [{"attri'),
        httpx.Response(200, content=b"<html>"),
        httpx.Response(500),
    ],
)
async def test_errors_inside_a_200_and_half_answers_are_unavailability(answer: Any) -> None:
    with pytest.raises(GisUnavailable):
        await layer(answer).query()


async def test_one_broken_geometry_costs_one_area() -> None:
    broken = feature(1) | {"geometry": {"rings": [[["x"]] * 4]}}
    found = await layer({"features": [broken, feature(2)]}).query()
    assert [one.geometry is None for one in found] == [True, False]


def test_holes_are_holes_and_several_outer_rings_several_parts() -> None:
    shape = geometry_of({"rings": [SQUARE, HOLE]})
    assert shape is not None
    assert not shape.contains(shapely.Point(-67.5, 44.5))
    assert shape.contains(shapely.Point(-67.9, 44.1))
    two = geometry_of({"rings": [SQUARE, [[x + 5, y] for x, y in SQUARE]]})
    assert two is not None
    assert two.area == pytest.approx(2)


def test_a_ring_drawn_the_wrong_way_round_is_still_an_area() -> None:
    shape = geometry_of({"rings": [SQUARE[::-1]]})
    assert shape is not None
    assert shape.area == pytest.approx(1)


def test_a_ring_that_crosses_itself_is_mended() -> None:
    shape = geometry_of({"rings": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]})
    assert shape is not None
    assert shape.is_valid


def test_web_mercator_becomes_degrees() -> None:
    shape = geometry_of({"x": -7514065.63, "y": 5543147.20, "spatialReference": {"wkid": 102100}})
    assert shape is not None
    assert (shape.x, shape.y) == (pytest.approx(-67.5, abs=1e-4), pytest.approx(44.5, abs=1e-2))
    assert geometry_of(None) is None
    assert geometry_of({"x": "NaN", "y": "NaN"}) is None
