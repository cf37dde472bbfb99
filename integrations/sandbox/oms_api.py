"""The HTTP side of the simulated OMS: the WSDL and the SOAP address."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from .utility import Utility
from .wsdl import wsdl

XML = "text/xml; charset=utf-8"


def router(utility: Utility) -> APIRouter:
    """The OMS's routes."""
    routes = APIRouter(prefix="/multispeak", tags=["oms"])

    @routes.get("/oms")
    async def contract(request: Request) -> Response:
        return Response(wsdl(str(request.url.replace(query="", fragment=""))), media_type=XML)

    @routes.post("/oms")
    async def call(request: Request) -> Response:
        status, answer = utility.multispeak.handle(await request.body())
        return Response(answer, status_code=status, media_type=XML)

    return routes
