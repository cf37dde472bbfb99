"""ArcGIS REST `query` on a feature layer."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import shapely
import structlog
from shapely.geometry import MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry

from integrations.base.settings import Settings

log = structlog.get_logger()

_WEB_MERCATOR = (3857, 102100, 102113, 900913)
_EARTH = 6378137.0


class GisUnavailable(Exception):
    """Slow, dead, half answered, or an error; the text is one of a few constant reasons."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature in WGS 84 (x is longitude). A geometry that cannot be used is None."""

    attributes: Mapping[str, Any] = field(repr=False)
    geometry: BaseGeometry | None

    def get(self, *names: str) -> Any:
        """The first attribute of these names, whatever their case and underscores; layers do not agree on them."""
        lowered = {key.lower().replace("_", ""): value for key, value in self.attributes.items()}
        for name in names:
            value = lowered.get(name.lower().replace("_", ""))
            if value is not None:
                return value
        return None


class ArcGisLayer:
    """A layer of a FeatureServer or MapServer.

    Args:
        url: up to and with the layer's number.
        token: sent as Authorization, never in the URL, where logs would keep it.
        total_seconds: for a whole query, all its pages.
        connect_seconds: to open a connection.
        page_size: features asked for at once; the server may give fewer.
        http: a client to use instead of an own one.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str = "",
        total_seconds: float = 20.0,
        connect_seconds: float = 2.0,
        page_size: int = 1000,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        self._url = url.rstrip("/")
        self._total = total_seconds
        self._page_size = page_size
        self._own = http is None
        self._http = http or httpx.AsyncClient(timeout=httpx.Timeout(total_seconds, connect=connect_seconds))
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    @classmethod
    def from_settings(cls, settings: Settings) -> ArcGisLayer | None:
        """The outage areas' layer; None when there is none."""
        return cls(settings.gis_outage_layer_url) if settings.gis_outage_layer_url else None

    async def aclose(self) -> None:
        """Close the connections, when they are its own."""
        if self._own:
            await self._http.aclose()

    async def query(
        self,
        where: str = "1=1",
        *,
        out_fields: str = "*",
        point: tuple[float, float] | None = None,
        distance_m: float | None = None,
        return_geometry: bool = True,
    ) -> list[Feature]:
        """All features that match, over as many pages as there are.

        Args:
            where: SQL, as ArcGIS has it. Never put a customer's text into it.
            out_fields: names with commas between, or "*".
            point: latitude and longitude that the features must contain or, with `distance_m`, be near to.
            distance_m: metres from the point.
            return_geometry: whether shapes are wanted.

        Raises:
            GisUnavailable: no complete answer. Half of the pages are no answer.
        """
        parameters = {
            "f": "json",
            "where": where,
            "outFields": out_fields,
            "outSR": "4326",
            "returnGeometry": "true" if return_geometry else "false",
        }
        if point is not None:
            lat, lon = point
            parameters |= {
                "geometry": json.dumps({"x": lon, "y": lat, "spatialReference": {"wkid": 4326}}),
                "geometryType": "esriGeometryPoint",
                "spatialRel": "esriSpatialRelIntersects",
                "inSR": "4326",
            }
            if distance_m is not None:
                parameters |= {"distance": f"{distance_m:.1f}", "units": "esriSRUnit_Meter"}
        try:
            async with asyncio.timeout(self._total):
                return await self._pages(parameters)
        except TimeoutError:
            raise GisUnavailable("slow") from None
        except httpx.HTTPError:
            raise GisUnavailable("no connection or half an answer") from None

    async def _pages(self, parameters: dict[str, str]) -> list[Feature]:
        features: list[Feature] = []
        seen: set[Any] = set()
        while True:
            page = await self._page(parameters, len(features))
            items = page["features"]
            wkid = (page.get("spatialReference") or {}).get("wkid", 4326)
            key = page.get("objectIdFieldName") or "OBJECTID"
            fresh = []
            for item in items:
                if not isinstance(item, dict) or not isinstance(item.get("attributes"), dict):
                    raise GisUnavailable("half an answer")
                identity = item["attributes"].get(key)
                if identity is None or identity not in seen:
                    seen.add(identity)
                    fresh.append(item)
            features += await asyncio.to_thread(_features, fresh, wkid)
            if not page.get("exceededTransferLimit"):
                return features
            if not fresh:
                # A server without paging gives the first page again and again; another may promise for ever.
                raise GisUnavailable("paging does not end")

    async def _page(self, parameters: dict[str, str], offset: int) -> dict[str, Any]:
        paged = parameters | {"resultOffset": str(offset), "resultRecordCount": str(self._page_size)}
        response = await self._http.get(f"{self._url}/query", params=paged, headers=self._headers)
        if response.status_code != 200:
            raise GisUnavailable("error status")
        try:
            page = response.json()
        except ValueError:
            raise GisUnavailable("not JSON") from None
        # ArcGIS reports its errors inside a 200.
        if not isinstance(page, dict) or "error" in page or not isinstance(page.get("features"), list):
            raise GisUnavailable("error or half an answer")
        return page


def _features(items: list[dict[str, Any]], wkid: int) -> list[Feature]:
    return [_feature(item, wkid) for item in items]


def _feature(item: dict[str, Any], wkid: int) -> Feature:
    try:
        shape = geometry_of(item.get("geometry"), wkid)
    except (TypeError, ValueError, KeyError, IndexError, shapely.errors.ShapelyError):
        log.warning("a feature's geometry cannot be used")
        shape = None
    return Feature(item["attributes"], shape)


def geometry_of(data: Any, wkid: int = 4326) -> BaseGeometry | None:
    """An Esri JSON geometry (point or rings) in WGS 84.

    Rings that run clockwise are outer ones, the others holes (Esri's rule); a hole outside every outer ring is an
    outer one that somebody drew the wrong way round.

    Raises:
        ValueError, TypeError, KeyError: it is no geometry.
    """
    if not isinstance(data, dict):
        return None
    wkid = (data.get("spatialReference") or {}).get("wkid", wkid)
    if "x" in data:
        lon, lat = _to_degrees(float(data["x"]), float(data["y"]), wkid)
        return Point(lon, lat) if math.isfinite(lon) and math.isfinite(lat) else None
    rings = [[_to_degrees(float(p[0]), float(p[1]), wkid) for p in ring] for ring in data["rings"] if len(ring) >= 3]
    outer: list[tuple[Polygon, list[list[tuple[float, float]]]]] = []
    holes = []
    for ring in rings:
        if _area(ring) <= 0:
            outer.append((Polygon(ring), []))
        else:
            holes.append(ring)
    for hole in holes:
        for polygon, inside in outer:
            if polygon.contains(Polygon(hole).representative_point()):
                inside.append(hole)
                break
        else:
            outer.append((Polygon(hole), []))
    parts = [Polygon(polygon.exterior.coords, inside) for polygon, inside in outer]
    shape: BaseGeometry = shapely.make_valid(MultiPolygon(parts) if len(parts) != 1 else parts[0])
    return None if shape.is_empty else shape


def _area(ring: list[tuple[float, float]]) -> float:
    """The signed area: negative when the ring runs clockwise."""
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, ring[1:] + ring[:1], strict=True)) / 2


def _to_degrees(x: float, y: float, wkid: int) -> tuple[float, float]:
    if wkid not in _WEB_MERCATOR:
        return x, y
    return math.degrees(x / _EARTH), math.degrees(2 * math.atan(math.exp(y / _EARTH)) - math.pi / 2)
