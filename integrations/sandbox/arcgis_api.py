"""The simulated GIS: ArcGIS REST ``query`` on the outage layers, 0 = points, 1 = polygons.

Like a real server it answers errors with status 200, dates in epoch milliseconds, Web Mercator unless asked otherwise,
and no more than MAX_RECORDS features at once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from shapely.geometry import Point, Polygon, box, mapping
from shapely.geometry.base import BaseGeometry
from shapely.geometry.polygon import orient

from .areas import Areas, around, from_mercator, to_mercator

MAX_RECORDS = 1000
MERCATOR = (3857, 102100)
FIELDS = {
    "OBJECTID": "OID", "OUTAGE_ID": "String", "STATUS": "String", "START_TIME": "Date", "ETR": "Date",
    "ETR_CLASS": "String", "CAUSE": "String", "CREW_STATUS": "String", "CUSTOMERS_OUT": "Integer",
    "PLANNED": "SmallInteger", "LAST_UPDATE": "Date",
}  # fmt: skip
_TERM = re.compile(r"^\s*(\w+)\s*(=|<>|>=|<=|>|<|in)\s*(.+?)\s*$", re.IGNORECASE)
Attributes = dict[str, Any]


class BadQuery(ValueError):
    """The query's parameters are not valid; the text says which."""


def where_filter(where: str) -> Callable[[Attributes], bool]:
    """A filter for the SQL that outage clients use: terms on one field each, joined by AND.

    Raises:
        BadQuery: for anything else.
    """
    tests: list[Callable[[Attributes], bool]] = []
    for part in re.split(r"\s+and\s+", where.strip() or "1=1", flags=re.IGNORECASE):
        if re.fullmatch(r"\(?\s*1\s*=\s*1\s*\)?", part):
            continue
        match = _TERM.match(part)
        if match is None or match[1].upper() not in FIELDS:
            raise BadQuery("where")
        tests.append(_test(match[1].upper(), match[2].lower(), match[3]))
    return lambda attributes: all(test(attributes) for test in tests)


def _test(name: str, operator: str, raw: str) -> Callable[[Attributes], bool]:
    values = [_literal(one) for one in (raw.strip("() ").split(",") if operator == "in" else [raw])]
    if operator == "in":
        return lambda attributes: attributes[name] in values
    value = values[0]
    compare: dict[str, Callable[[Any], bool]] = {
        "=": lambda one: one == value, "<>": lambda one: one != value,
        ">": lambda one: one > value, "<": lambda one: one < value,
        ">=": lambda one: one >= value, "<=": lambda one: one <= value,
    }  # fmt: skip
    same = str if isinstance(value, str) else int
    return lambda attributes: isinstance(attributes[name], same) and compare[operator](attributes[name])


def _literal(raw: str) -> str | int:
    raw = raw.strip()
    if re.fullmatch(r"-?\d+", raw):
        return int(raw)
    if re.fullmatch(r"'(?:[^']|'')*'", raw):
        return raw[1:-1].replace("''", "'")
    raise BadQuery("where")


def _wkid(raw: str, default: int) -> int:
    found = re.search(r"\d+", raw or "")
    return int(found[0]) if found else default


def geometry_filter(parameters: Mapping[str, str]) -> BaseGeometry | None:
    """The shape of the query in WGS 84, or nothing.

    Raises:
        BadQuery: when it cannot be read.
    """
    raw = parameters.get("geometry", "").strip()
    if not raw:
        return None
    kind = parameters.get("geometryType", "esriGeometryEnvelope")
    try:
        data = json.loads(raw) if raw.startswith("{") else [float(one) for one in raw.split(",")]
        wkid = _wkid(parameters.get("inSR", ""), 102100)
        if isinstance(data, dict):
            wkid = _wkid(str(data.get("spatialReference", "")), wkid)
        read = from_mercator if wkid in MERCATOR else lambda x, y: (x, y)
        shape: BaseGeometry
        if kind == "esriGeometryPoint":
            x, y = (data["x"], data["y"]) if isinstance(data, dict) else data
            shape = Point(read(float(x), float(y)))
        elif kind == "esriGeometryEnvelope":
            corners = [data[key] for key in ("xmin", "ymin", "xmax", "ymax")] if isinstance(data, dict) else data
            shape = box(*read(corners[0], corners[1]), *read(corners[2], corners[3]))
        elif kind == "esriGeometryPolygon" and isinstance(data, dict):
            shape = Polygon([read(float(x), float(y)) for x, y in data["rings"][0]])
        else:
            raise BadQuery("geometryType")
        distance = float(parameters.get("distance") or 0)
    except (ValueError, KeyError, TypeError, IndexError):
        raise BadQuery("geometry") from None
    if distance:
        unit = {"esriSRUnit_Kilometer": 1000.0, "esriSRUnit_StatuteMile": 1609.344, "esriSRUnit_Foot": 0.3048}
        shape = around(shape, distance * unit.get(parameters.get("units", ""), 1.0))
    return shape


def esri_geometry(shape: BaseGeometry, mercator: bool) -> dict[str, Any]:
    """Esri JSON; outer rings run clockwise."""
    write = to_mercator if mercator else lambda x, y: (x, y)
    if isinstance(shape, Point):
        x, y = write(shape.x, shape.y)
        return {"x": x, "y": y}
    assert isinstance(shape, Polygon)
    return {"rings": [[list(write(x, y)) for x, y in orient(shape, -1).exterior.coords]]}


def answer(areas: Areas, layer: int, parameters: Mapping[str, str]) -> dict[str, Any]:
    """Answer a query.

    Raises:
        BadQuery: naming the parameter that is not valid.
    """
    keep = where_filter(parameters.get("where", "1=1"))
    inside = geometry_filter(parameters)
    found = [
        (attributes, shape)
        for attributes, shape in areas.features(layer)
        if keep(attributes) and (inside is None or shape.intersects(inside))
    ]
    if wanted := parameters.get("objectIds"):
        numbers = {int(one) for one in wanted.split(",") if one.strip().isdigit()}
        found = [pair for pair in found if pair[0]["OBJECTID"] in numbers]
    if parameters.get("returnCountOnly", "").lower() == "true":
        return {"count": len(found)}
    if parameters.get("returnIdsOnly", "").lower() == "true":
        return {"objectIdFieldName": "OBJECTID", "objectIds": [pair[0]["OBJECTID"] for pair in found]}
    try:
        offset = max(0, int(parameters.get("resultOffset") or 0))
        count = min(MAX_RECORDS, int(parameters.get("resultRecordCount") or MAX_RECORDS))
    except ValueError:
        raise BadQuery("resultOffset") from None
    page, more = found[offset : offset + count], len(found) > offset + count
    names = [one.strip().upper() for one in (parameters.get("outFields") or "OBJECTID").split(",")]
    chosen = [name for name in FIELDS if "*" in names or name in names]
    geometry = parameters.get("returnGeometry", "true").lower() != "false"
    if parameters.get("f") == "geojson":
        features = [
            {
                "type": "Feature", "id": attributes["OBJECTID"],
                "geometry": mapping(orient(shape) if isinstance(shape, Polygon) else shape) if geometry else None,
                "properties": {name: attributes[name] for name in chosen},
            }
            for attributes, shape in page
        ]  # fmt: skip
        collection: dict[str, Any] = {"type": "FeatureCollection", "features": features}
        return collection | ({"properties": {"exceededTransferLimit": True}} if more else {})
    wkid = _wkid(parameters.get("outSR", ""), 102100)
    listed = []
    for attributes, shape in page:
        feature: dict[str, Any] = {"attributes": {name: attributes[name] for name in chosen}}
        if geometry:
            feature["geometry"] = esri_geometry(shape, wkid in MERCATOR)
        listed.append(feature)
    reference = {"wkid": 102100, "latestWkid": 3857} if wkid in MERCATOR else {"wkid": wkid, "latestWkid": wkid}
    return {
        "objectIdFieldName": "OBJECTID",
        "geometryType": _kind(layer),
        "spatialReference": reference,
        "fields": [{"name": name, "type": f"esriFieldType{FIELDS[name]}", "alias": name} for name in chosen],
        "features": listed,
    } | ({"exceededTransferLimit": True} if more else {})


def _kind(layer: int) -> str:
    return "esriGeometryPolygon" if layer == 1 else "esriGeometryPoint"


def _error(code: int, message: str, detail: str = "") -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": message, "details": [detail] if detail else []}})


def router(areas: Areas) -> APIRouter:
    """The GIS's routes."""
    routes = APIRouter(prefix="/arcgis/rest/services/outages/FeatureServer", tags=["gis"])

    @routes.get("/{layer}")
    async def describe(layer: int) -> JSONResponse:
        if layer not in (0, 1):
            return _error(400, "Invalid URL", "no such layer")
        return JSONResponse(
            {
                "id": layer, "name": ("Outages", "Outage areas")[layer], "type": "Feature Layer",
                "geometryType": _kind(layer), "objectIdField": "OBJECTID", "maxRecordCount": MAX_RECORDS,
                "supportsPagination": True, "capabilities": "Query",
                "fields": [{"name": name, "type": f"esriFieldType{kind}"} for name, kind in FIELDS.items()],
            }
        )  # fmt: skip

    @routes.get("/{layer}/query")
    @routes.post("/{layer}/query")
    async def query(layer: int, request: Request) -> JSONResponse:
        parameters = dict(request.query_params)
        if request.method == "POST":
            parameters |= {key: str(value) for key, value in (await request.form()).items()}
        if layer not in (0, 1):
            return _error(400, "Invalid URL", "no such layer")
        try:
            return JSONResponse(answer(areas, layer, parameters))
        except BadQuery as error:
            return _error(400, "Unable to complete operation.", f"'{error}' parameter is invalid")

    return routes
