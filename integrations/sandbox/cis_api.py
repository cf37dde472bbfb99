"""The simulated customer information system: service points by phone, account, address or id."""

from __future__ import annotations

import secrets
from typing import Any

from fastapi import APIRouter, Header, HTTPException, Query

from .territory import ServicePoint
from .utility import Utility


def as_json(point: ServicePoint) -> dict[str, Any]:
    """One service point with its customer."""
    return {
        "service_point_id": point.id,
        "account_number": point.account_number,
        "meter_id": point.meter_id,
        "address": point.address,
        "number": point.number,
        "street": point.street,
        "town": point.town,
        "unit": point.unit or None,
        "nickname": point.nickname or None,
        "lat": point.lat,
        "lon": point.lon,
        "life_support": point.life_support,
        "service_status": "disconnected_non_payment" if point.non_pay else "active",
        "customer": {"customer_id": point.customer_id, "name": point.name, "phones": list(point.phones)},
    }


def router(utility: Utility, token: str = "") -> APIRouter:
    """The CIS's routes.

    Args:
        utility: whose customers.
        token: bearer token to ask for; empty: none.
    """
    routes = APIRouter(prefix="/cis", tags=["cis"])

    @routes.get("/service-points")
    async def service_points(
        phone: str | None = None,
        account: str | None = None,
        address: str | None = None,
        id: str | None = None,
        limit: int = Query(5, ge=1, le=50),
        authorization: str = Header(""),
    ) -> dict[str, Any]:
        if token and not secrets.compare_digest(authorization.encode(), f"Bearer {token}".encode()):
            raise HTTPException(401, "unauthorized")
        directory = utility.directory
        if id is not None:
            point = directory.by_id(id)
            found = [as_json(point)] if point else []
        elif account is not None:
            found = [as_json(point) for point in directory.by_account(account)]
        elif phone is not None:
            found = [as_json(point) for point in directory.by_phone(phone)]
        elif address is not None:
            found = [
                as_json(point) | {"score": round(score, 1)} for point, score in directory.by_address(address, limit)
            ]
        else:
            raise HTTPException(400, "one of phone, account, address or id is needed")
        return {"service_points": found}

    return routes
