"""The media socket: who may open it, and FastAPI's WebSocket as the line of a call."""

from __future__ import annotations

import contextlib

import structlog
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from starlette.websockets import WebSocketState

from bot.identity.tokens import TokenRejected, Tokens
from voice import metrics
from voice.call import Call
from voice.parts import CallParts
from voice.twiml import MEDIA

log = structlog.get_logger()


def router(parts: CallParts, tokens: Tokens) -> APIRouter:
    """`/twilio/media/<token>`. The token stands in the path, because Twilio drops a stream's query.

    Args:
        parts: what calls share.
        tokens: checks who may open a socket, and for which call.
    """
    routes = APIRouter()

    @routes.websocket(MEDIA + "/{token}")
    async def media(ws: WebSocket, token: str) -> None:
        try:
            allowed = tokens.read_media(token)
            if not await parts.records.first_use(allowed.nonce):
                raise TokenRejected("used before")
        except TokenRejected as refused:
            metrics.calls.labels("refused").inc()
            log.warning("voice.token_refused", reason=str(refused))
            await ws.close(1008)
            return
        record = await parts.records.open(allowed.call_sid)
        await ws.accept()
        await Call(SocketLine(ws), record, parts).run()

    return routes


class SocketLine:
    """`voice.inlet.Line` on a WebSocket.

    Args:
        ws: accepted.
    """

    def __init__(self, ws: WebSocket) -> None:
        self._ws = ws

    async def receive(self) -> str | None:
        """See `Line`. A binary message is none of Twilio's and reads as an empty text, which is a bad message."""
        try:
            frame = await self._ws.receive()
        except (WebSocketDisconnect, RuntimeError):  # Starlette's word for a socket that is closed already
            return None
        if frame["type"] == "websocket.disconnect":
            return None
        return frame.get("text") or ""

    async def send(self, text: str) -> None:
        """See `Line`."""
        if self._ws.application_state is WebSocketState.CONNECTED:
            with contextlib.suppress(WebSocketDisconnect, RuntimeError, OSError):
                await self._ws.send_text(text)

    async def close(self) -> None:
        """See `Line`."""
        if self._ws.application_state is WebSocketState.CONNECTED:
            with contextlib.suppress(WebSocketDisconnect, RuntimeError, OSError):
                await self._ws.close()
