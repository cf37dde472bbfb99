"""What the demo page needs, only where the simulated utility runs.

Its switches, signing in as a demo customer, and reading along in a call. None of it exists in production.
"""

from __future__ import annotations

from typing import Annotated, Any

import httpx
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.identity.tokens import Tokens

_PASSED_ON = ("content-type", "cache-control")
_MOST_ENTRIES = 200
"""Of a conversation in one answer."""


class LogIn(BaseModel):
    """The body of `POST /sandbox-login`."""

    phone: str = Field(max_length=40)
    account: str = Field("", max_length=40)


def router(sandbox_url: str, client: httpx.AsyncClient, tokens: Tokens, redis: Redis) -> APIRouter:
    """The routes; mount them in sandbox mode only.

    Args:
        sandbox_url: where the simulated utility listens.
        client: shared.
        tokens: in the place of the portal that signs customers in.
        redis: where conversations are written, with decoded responses.
    """
    routes = APIRouter()

    @routes.post("/sandbox-login")
    async def log_in(body: LogIn, response: Response) -> dict[str, str]:
        try:
            return {"token": tokens.sign_customer(body.phone, body.account)}
        except ValueError:
            response.status_code = 422
            return {"error": "not_a_phone_number"}

    @routes.get("/sandbox-conversation/{call}")
    async def conversation(
        call: Annotated[str, Path(pattern=r"^CA[0-9a-f]{32}$")],
        response: Response,
        after: Annotated[str, Query(pattern=r"^\d{1,20}(-\d{1,20})?$")] = "0",
    ) -> list[dict[str, Any]]:
        response.headers["cache-control"] = "no-store"
        try:
            entries = await redis.xrange(f"conv:call-{call}", min=f"({after}", count=_MOST_ENTRIES)
        except RedisError:
            response.status_code = 503
            return []
        return [_shown(str(entry), dict(fields or {})) for entry, fields in entries or ()]

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


def _shown(entry: str, fields: dict[Any, Any]) -> dict[str, Any]:
    return {
        "id": entry,
        "direction": fields.get("dir", "out"),
        "text": fields.get("text", ""),
        "source": fields.get("source", ""),
        "interrupted": fields.get("interrupted"),
        "at": fields.get("at", ""),
    }
