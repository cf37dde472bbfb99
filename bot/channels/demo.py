"""What the demo page needs, only where the simulated utility runs: its switches, and signing in as a demo customer."""

from __future__ import annotations

import httpx
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from bot.identity.tokens import Tokens

_PASSED_ON = ("content-type", "cache-control")


class LogIn(BaseModel):
    """The body of `POST /sandbox-login`."""

    phone: str = Field(max_length=40)
    account: str = Field("", max_length=40)


def router(sandbox_url: str, client: httpx.AsyncClient, tokens: Tokens) -> APIRouter:
    """The routes; mount them in sandbox mode only.

    Args:
        sandbox_url: where the simulated utility listens.
        client: shared.
        tokens: in the place of the portal that signs customers in.
    """
    routes = APIRouter()

    @routes.post("/sandbox-login")
    async def log_in(body: LogIn, response: Response) -> dict[str, str]:
        try:
            return {"token": tokens.sign_customer(body.phone, body.account)}
        except ValueError:
            response.status_code = 422
            return {"error": "not_a_phone_number"}

    @routes.api_route("/sandbox/{path:path}", methods=["GET", "POST", "PATCH", "DELETE"])
    async def switches(path: str, request: Request) -> Response:
        try:
            answer = await client.request(
                request.method,
                f"{sandbox_url}/sandbox/{path}",
                params=request.url.query,
                content=await request.body(),
                headers={"content-type": request.headers.get("content-type", "application/json")},
                timeout=15.0,
            )
        except httpx.HTTPError:
            return Response('{"error":"sandbox_away"}', 502, media_type="application/json")
        headers = {name: value for name, value in answer.headers.items() if name.lower() in _PASSED_ON}
        return Response(answer.content, answer.status_code, headers)

    return routes
