"""Which outage areas a place is in: a spatial index in memory (Shapely's STRtree)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from shapely import STRtree
from shapely.geometry.base import BaseGeometry

_METRES_A_DEGREE = 111_320.0


@dataclass(frozen=True, slots=True)
class Area:
    """An outage's area.

    Attributes:
        outage_id: the OMS's id.
        shape: in WGS 84, x is longitude.
        customers: how many are out in it; None when not said.
    """

    outage_id: str
    shape: BaseGeometry
    customers: int | None = None


class AreaIndex:
    """Areas that can be asked by place. Immutable: a new set of areas is a new index.

    Args:
        areas: those with an empty shape are left out.
    """

    def __init__(self, areas: Iterable[Area] = ()) -> None:
        self._areas: Sequence[Area] = [area for area in areas if not area.shape.is_empty]
        shapes = np.array([area.shape for area in self._areas], dtype=object)
        # Prepared shapes answer "contains this point" several times faster.
        shapely.prepare(shapes)
        self._sizes = shapely.area(shapes) if len(shapes) else np.zeros(0)
        self._shapes = shapes
        self._tree = STRtree(shapes)

    def __len__(self) -> int:
        return len(self._areas)

    def at(self, lat: float, lon: float) -> list[Area]:
        """The areas that contain a place, the smallest first: of nested outages it is the nearest to the customer."""
        if not (math.isfinite(lat) and math.isfinite(lon)):
            return []
        found = self._tree.query(shapely.Point(lon, lat))
        if len(found):
            found = found[shapely.intersects_xy(self._shapes[found], lon, lat)]
        if len(found) > 1:
            found = found[np.argsort(self._sizes[found], kind="stable")]
        return [self._areas[position] for position in found]

    def bulk(self, lats: npt.ArrayLike, lons: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """For many places at once, the position in `areas` of the smallest area that contains each; -1 for none.

        Args:
            lats: latitudes in degrees.
            lons: longitudes in degrees, as many.
        """
        x, y = np.asarray(lons, dtype=np.float64), np.asarray(lats, dtype=np.float64)
        result = np.full(x.shape[0], -1, dtype=np.int64)
        if len(self._areas):
            # Boxes first, then the prepared shapes themselves: the tree's own predicate would prepare the points.
            which, area = self._tree.query(shapely.points(x, y))
            inside = shapely.intersects_xy(self._shapes[area], x[which], y[which])
            which, area = which[inside], area[inside]
            # The last write wins, so the smallest area is written last.
            order = np.argsort(-self._sizes[area], kind="stable")
            result[which[order]] = area[order]
        return result

    @property
    def areas(self) -> Sequence[Area]:
        """What `bulk` gives positions in."""
        return self._areas

    def near(self, lat: float, lon: float, radius_m: float) -> list[tuple[Area, float]]:
        """The areas within a distance of a place, with the distance to their edge in metres (0 inside), nearest first.

        Degrees are scaled for the latitude, which is right to a percent within some 50 km and away from the poles.
        """
        if not (math.isfinite(lat) and math.isfinite(lon)) or radius_m < 0:
            return []
        across = _METRES_A_DEGREE * max(math.cos(math.radians(lat)), 0.01)
        dx, dy = radius_m / across, radius_m / _METRES_A_DEGREE
        box = shapely.box(lon - dx, lat - dy, lon + dx, lat + dy)
        here = shapely.Point(0, 0)
        scale = np.array([across, _METRES_A_DEGREE])
        origin = np.array([lon, lat])

        def in_metres(coordinates: npt.NDArray[Any]) -> npt.NDArray[Any]:
            metres: npt.NDArray[Any] = (coordinates - origin) * scale
            return metres

        found = []
        for position in self._tree.query(box):
            distance = float(shapely.transform(self._areas[position].shape, in_metres).distance(here))
            if distance <= radius_m:
                found.append((self._areas[position], distance))
        return sorted(found, key=lambda pair: pair[1])
