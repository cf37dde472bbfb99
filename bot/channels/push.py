"""The door for the OMS's pushes: `POST /multispeak/{secret}`.

MultiSpeak 3.0 and 4.1 put credentials in the clear into the message, so the way in is an unguessable address; whoever
does not know it finds nothing there.
"""

from __future__ import annotations

import asyncio
import hmac

import structlog
from fastapi import APIRouter, Request, Response
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.switchboard.metrics import failures
from integrations.oms.push import PushRejected, fault, read_push
from integrations.oms.stream import EventStream

log = structlog.get_logger()

LONGEST_PUSH = 16_000_000
_XML = "text/xml; charset=utf-8"


def router(secret: str, redis: Redis) -> APIRouter:
    """The route.

    Args:
        secret: last segment of the address; "" closes the door.
        redis: where the events go.
    """
    routes = APIRouter()
    stream = EventStream(redis)

    @routes.post("/multispeak/{given}")
    async def push(given: str, request: Request) -> Response:
        if not secret or not hmac.compare_digest(given.encode(), secret.encode()):
            return Response(status_code=404)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > LONGEST_PUSH:
                return Response(fault("too large"), 413, media_type=_XML)
        try:
            read = await asyncio.to_thread(read_push, bytes(body))
        except PushRejected as error:
            failures.labels("oms_push").inc()
            log.warning("push.rejected", reason=str(error))
            return Response(fault(str(error)), 500, media_type=_XML)
        try:
            await stream.publish(read.events)
        except RedisError as error:
            # A fault makes the OMS send it again.
            failures.labels("oms_push").inc()
            log.error("push.not_kept", error=type(error).__name__)
            return Response(fault("try again", client=False), 503, media_type=_XML)
        return Response(read.answer(), media_type=_XML)

    return routes
