"""The ArcGIS client against the simulated GIS."""

from __future__ import annotations

import httpx
import pytest

from integrations.gis.arcgis import ArcGisLayer, GisUnavailable
from integrations.gis.index import Area, AreaIndex
from tests.fakes.sandbox import sandbox

pytestmark = pytest.mark.contract


async def test_outage_areas_are_read_in_pages_and_contain_their_customers() -> None:
    async with sandbox(size=2000) as (url, utility):
        layer = ArcGisLayer(f"{url}/arcgis/rest/services/outages/FeatureServer/1", page_size=2)
        features = await layer.query()
        areas = AreaIndex(Area(str(one.get("outageId")), one.geometry) for one in features if one.geometry)
        assert len(areas) > 4
        for outage in utility.outages.active():
            if outage.id in {area.outage_id for area in areas.areas}:
                point = utility.territory.service_point(int(outage.members[0]))
                assert outage.id in [area.outage_id for area in areas.at(point.lat, point.lon)]
                near = await layer.query(point=(point.lat, point.lon))
                assert outage.id in [str(one.get("outageId")) for one in near]
        with pytest.raises(GisUnavailable):
            await layer.query("nothing like SQL")
        async with httpx.AsyncClient() as http:
            for mode in ("dead", "half", "garbage", "error"):
                await http.post(f"{url}/sandbox/faults", json={"system": "gis", "mode": mode})
                with pytest.raises(GisUnavailable):
                    await layer.query()
        await layer.aclose()
