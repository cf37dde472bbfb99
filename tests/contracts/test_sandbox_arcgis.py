"""The simulated GIS answers ArcGIS REST queries."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from shapely.geometry import Point, Polygon, shape

from integrations.sandbox.territory import Level
from integrations.sandbox.utility import Utility
from tests.fakes.sandbox import sandbox

pytestmark = pytest.mark.contract

POLYGONS = "/arcgis/rest/services/outages/FeatureServer/1/query"
POINTS = "/arcgis/rest/services/outages/FeatureServer/0/query"


class Gis:
    def __init__(self, http: httpx.AsyncClient, utility: Utility) -> None:
        self.http, self.utility = http, utility

    async def query(self, path: str = POLYGONS, **parameters: Any) -> Any:
        values = {"f": "json", "where": "1=1", "outFields": "*", "outSR": "4326"} | parameters
        answer = await self.http.get(path, params={key: str(value) for key, value in values.items()})
        assert answer.status_code == 200
        return answer.json()


@pytest.fixture
async def gis() -> AsyncIterator[Gis]:
    async with (
        sandbox(size=6000, ticking=False) as (url, utility),
        httpx.AsyncClient(base_url=url, timeout=20) as http,
    ):
        yield Gis(http, utility)


async def test_each_active_outage_is_a_polygon_around_those_who_are_out(gis: Gis) -> None:
    answer = await gis.query()
    assert answer["geometryType"] == "esriGeometryPolygon" and answer["spatialReference"]["wkid"] == 4326
    assert "exceededTransferLimit" not in answer
    outages = {one.id: one for one in gis.utility.outages.active()}
    assert {one["attributes"]["OUTAGE_ID"] for one in answer["features"]} == set(outages)
    for feature in answer["features"]:
        outage = outages[feature["attributes"]["OUTAGE_ID"]]
        (ring,) = feature["geometry"]["rings"]
        area = Polygon(ring)
        assert not area.exterior.is_ccw  # Esri: outer rings run clockwise
        assert feature["attributes"]["CUSTOMERS_OUT"] == len(outage.members)
        for row in outage.members.tolist():
            assert area.contains(Point(gis.utility.territory.lon[row], gis.utility.territory.lat[row]))


async def test_dates_are_epoch_milliseconds(gis: Gis) -> None:
    row = gis.utility.quiet.rows["crew_etr"][0]
    outage = gis.utility.outages.at(row)
    assert outage is not None and outage.etr is not None
    (feature,) = (await gis.query(where=f"OUTAGE_ID='{outage.id}'"))["features"]
    etr = datetime.fromtimestamp(feature["attributes"]["ETR"] / 1000, tz=UTC)
    assert abs(etr - outage.etr) < timedelta(seconds=1)


async def test_a_time_that_is_not_for_customers_is_not_on_the_map(gis: Gis) -> None:
    outage = gis.utility.outages.at(gis.utility.quiet.rows["crew_etr"][0])
    assert outage is not None
    gis.utility.outages.change(outage, show_etr=False)
    (feature,) = (await gis.query(where=f"OUTAGE_ID='{outage.id}'"))["features"]
    assert feature["attributes"]["ETR"] is None


async def test_a_point_finds_the_outage_that_it_is_in_and_a_distance_those_near_it(gis: Gis) -> None:
    row = gis.utility.quiet.rows["crew_etr"][0]
    point = gis.utility.territory.service_point(row)
    outage = gis.utility.outages.at(row)
    assert outage is not None
    geometry = json.dumps({"x": point.lon, "y": point.lat, "spatialReference": {"wkid": 4326}})
    asked = {"geometry": geometry, "geometryType": "esriGeometryPoint", "inSR": 4326}
    found = await gis.query(**asked)
    assert outage.id in {one["attributes"]["OUTAGE_ID"] for one in found["features"]}
    far = await gis.query(geometry=f"{point.lon + 1},{point.lat}", geometryType="esriGeometryPoint", inSR=4326)
    assert far["features"] == []
    near = await gis.query(**asked, distance=20_000, units="esriSRUnit_Meter")
    assert len(near["features"]) == len((await gis.query())["features"])


async def test_an_envelope_finds_what_it_touches_in_either_reference_system(gis: Gis) -> None:
    everything = await gis.query(geometry="-69,44,-67,46", geometryType="esriGeometryEnvelope", inSR=4326)
    assert len(everything["features"]) == len(gis.utility.outages.active())
    mercator = await gis.query(
        geometry="-7681044,5465442,-7458406,5780349", geometryType="esriGeometryEnvelope", returnCountOnly="true"
    )
    assert mercator == {"count": len(everything["features"])}


async def test_pages_hold_everything_once_and_say_when_there_is_more(gis: Gis) -> None:
    territory = gis.utility.territory
    for row in range(3000, 4300):
        gis.utility.outages.open(territory.device_of(row, Level.SERVICE), [row])
    total = (await gis.query(returnCountOnly="true"))["count"]
    first = await gis.query()
    assert len(first["features"]) == 1000 and first["exceededTransferLimit"] is True
    seen: list[int] = []
    while True:
        page = await gis.query(resultOffset=len(seen), resultRecordCount=400, returnGeometry="false")
        seen += [one["attributes"]["OBJECTID"] for one in page["features"]]
        assert all("geometry" not in one for one in page["features"])
        if not page.get("exceededTransferLimit"):
            break
    assert len(seen) == len(set(seen)) == total > 1300


async def test_geojson_is_valid_and_points_are_a_layer_of_their_own(gis: Gis) -> None:
    collection = await gis.query(f="geojson")
    assert collection["type"] == "FeatureCollection"
    assert all(shape(one["geometry"]).is_valid for one in collection["features"])
    points = await gis.query(POINTS)
    assert points["geometryType"] == "esriGeometryPoint"
    assert all(set(one["geometry"]) == {"x", "y"} for one in points["features"])


async def test_without_a_wanted_reference_system_it_is_web_mercator(gis: Gis) -> None:
    answer = await gis.query(outSR="")
    assert answer["spatialReference"]["latestWkid"] == 3857
    assert answer["features"][0]["geometry"]["rings"][0][0][0] < -7_000_000


async def test_where_and_fields_choose(gis: Gis) -> None:
    answer = await gis.query(where="OBJECTID IN (1,3) AND CUSTOMERS_OUT > 0", outFields="OBJECTID,STATUS")
    assert [one["attributes"]["OBJECTID"] for one in answer["features"]] == [1, 3]
    assert set(answer["features"][0]["attributes"]) == {"OBJECTID", "STATUS"}
    assert await gis.query(where="PLANNED=1", returnCountOnly="true") == {"count": 1}


@pytest.mark.parametrize(
    "bad",
    [
        {"where": "OUTAGE_ID = (SELECT 1)"}, {"where": "1=1; DROP TABLE x"}, {"where": "NAME='x'"},
        {"geometry": "{nonsense", "geometryType": "esriGeometryPoint"}, {"geometry": "1,2", "geometryType": "circle"},
        {"resultOffset": "x"},
    ],
)  # fmt: skip
async def test_a_bad_query_is_an_error_inside_a_200(gis: Gis, bad: dict[str, str]) -> None:
    answer = await gis.query(**bad)
    assert answer["error"]["code"] == 400 and "features" not in answer


async def test_an_area_is_drawn_again_when_some_come_back(gis: Gis) -> None:
    outage = gis.utility.outages.at(gis.utility.quiet.rows["area_etr"][0])
    assert outage is not None
    where = f"OUTAGE_ID='{outage.id}'"
    before = (await gis.query(where=where))["features"][0]["geometry"]
    gis.utility.outages.set_members(outage, outage.members[: len(outage.members) // 2])
    after = (await gis.query(where=where))["features"][0]["geometry"]
    assert before != after
    gis.utility.outages.restore(outage)
    assert (await gis.query(where=where))["features"] == []
