"""`/healthz`, `/readyz`, `/metrics`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog
from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

log = structlog.get_logger()

Check = Callable[[], Awaitable[bool]]

CHECK_SECONDS = 2.0


def router(
    needed: Mapping[str, Check], helpful: Mapping[str, Check], gauge: Callable[[], Awaitable[None]]
) -> APIRouter:
    """The routes.

    Args:
        needed: what must answer before we are ready, by name.
        helpful: what is only told.
        gauge: brings the gauges up to date before they are read.
    """
    routes = APIRouter()

    @routes.get("/healthz")
    async def alive() -> dict[str, str]:
        return {"status": "ok"}

    @routes.get("/readyz")
    async def ready(response: Response) -> dict[str, object]:
        checks = {**needed, **helpful}
        answers = await asyncio.gather(*(_ask(name, check) for name, check in checks.items()))
        states = dict(zip(checks, answers, strict=True))
        is_ready = all(states[name] for name in needed)
        response.status_code = 200 if is_ready else 503
        response.headers["Cache-Control"] = "no-store"
        return {"ready": is_ready, **{name: "ok" if state else "not ready" for name, state in states.items()}}

    @routes.get("/metrics")
    async def metrics() -> Response:
        await gauge()
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return routes


async def _ask(name: str, check: Check) -> bool:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await check()
    except Exception as error:  # whatever a check can meet means "not ready"
        log.info("readiness.not_ready", part=name, error=type(error).__name__)
        return False
