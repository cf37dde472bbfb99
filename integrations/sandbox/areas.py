"""Outage areas: what a utility's map shows for an outage, drawn around the service points that are out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import shapely
from shapely.geometry import MultiPoint, Point, Polygon
from shapely.geometry.base import BaseGeometry

from .clock import epoch_ms
from .outages import Outages, SimOutage
from .territory import LAT0, LON0, Territory

METRES_LON, METRES_LAT = 79_260.0, 111_320.0
MARGIN = 35.0  # metres around the outermost service points


class Areas:
    """The features of both layers, drawn when first asked for and kept until members change."""

    def __init__(self, territory: Territory, outages: Outages) -> None:
        self.territory, self.outages = territory, outages
        self._drawn: dict[str, tuple[Polygon, Point]] = {}
        self._numbers: dict[str, int] = {}
        outages.listen(self._changed)

    def features(self, layer: int) -> list[tuple[dict[str, Any], BaseGeometry]]:
        """Attributes and shape (WGS 84) of all active outages, ordered by OBJECTID; layer 0 points, 1 polygons."""
        listed: list[tuple[dict[str, Any], BaseGeometry]] = []
        for outage in self.outages.active():
            if len(outage.members):
                area, centre = self._shape(outage)
                listed.append((self.attributes(outage), area if layer == 1 else centre))
        listed.sort(key=lambda pair: int(pair[0]["OBJECTID"]))
        return listed

    def attributes(self, outage: SimOutage) -> dict[str, Any]:
        """What the public map says; a time that customers are not to be told is not in it."""
        shown = outage.show_etr
        return {
            "OBJECTID": self._numbers.setdefault(outage.id, len(self._numbers) + 1),
            "OUTAGE_ID": outage.id,
            "STATUS": outage.status,
            "START_TIME": epoch_ms(outage.started_at),
            "ETR": epoch_ms(outage.etr) if shown else None,
            "ETR_CLASS": outage.etr_class if shown else "ASSESSING",
            "CAUSE": outage.cause or None,
            "CREW_STATUS": outage.crew,
            "CUSTOMERS_OUT": len(outage.members),
            "PLANNED": int(outage.planned),
            "LAST_UPDATE": epoch_ms(outage.updated_at),
        }

    def _shape(self, outage: SimOutage) -> tuple[Polygon, Point]:
        drawn = self._drawn.get(outage.id)
        if drawn is None:
            rows = outage.members
            lon, lat = self.territory.lon[rows], self.territory.lat[rows]
            metres = np.column_stack(((lon - LON0) * METRES_LON, (lat - LAT0) * METRES_LAT))
            around = MultiPoint(metres).convex_hull.buffer(MARGIN, quad_segs=2)
            corners = np.asarray(around.exterior.coords)
            degrees = np.column_stack((corners[:, 0] / METRES_LON + LON0, corners[:, 1] / METRES_LAT + LAT0))
            drawn = (Polygon(np.round(degrees, 6)), Point(float(lon.mean()), float(lat.mean())))
            self._drawn[outage.id] = drawn
        return drawn

    def _changed(self, what: str, outage: SimOutage) -> None:
        if what != "changed":
            self._drawn.pop(outage.id, None)


def to_mercator(lon: float, lat: float) -> tuple[float, float]:
    """Web Mercator (EPSG:3857) in metres."""
    radius = 6_378_137.0
    return math.radians(lon) * radius, math.log(math.tan(math.pi / 4 + math.radians(lat) / 2)) * radius


def from_mercator(x: float, y: float) -> tuple[float, float]:
    """Longitude and latitude of a Web Mercator position."""
    radius = 6_378_137.0
    return math.degrees(x / radius), math.degrees(2 * math.atan(math.exp(y / radius)) - math.pi / 2)


def around(shape: BaseGeometry, metres: float) -> BaseGeometry:
    """A shape in degrees, widened by metres."""
    scale = np.array([METRES_LON, METRES_LAT])
    flat = shapely.transform(shape, lambda points: points * scale)
    return shapely.transform(flat.buffer(metres), lambda points: points / scale)
