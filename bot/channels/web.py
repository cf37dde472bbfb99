"""Web chat: `GET /chat/session`, `POST /chat/session`, and the WebSocket `GET /chat/ws`.

In: ``{"type": "user", "text", "id"}``, ``{"type": "choice", "id": <button's>, "message": <client's id>}``,
``{"type": "ping"}``. Out: ``hello``, ``user`` (what was accepted, to every tab), ``bot`` and ``agent``, ``typing``,
``error``, ``pong``. Messages that are kept carry ``seq``; a client that comes back with ``?after=SEQ`` gets what it
missed. All of a conversation ends with its silence, so a session that was silent too long begins anew by itself.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Sequence
from typing import Any, Literal
from urllib.parse import urlsplit

import structlog
from fastapi import APIRouter, Request, Response, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, Field, ValidationError
from redis.exceptions import RedisError
from starlette.websockets import WebSocketState

from bot.channels.limits import Allowance
from bot.channels.rooms import Listener, Rooms
from bot.channels.web_turns import WebTurns
from bot.identity.tokens import Session, TokenRejected, Tokens
from integrations.base.tasks import told_to_stop

log = structlog.get_logger()

COOKIE = "porchlight_session"
MOST_SOCKETS = 5_000
MOST_TABS = 8
LONGEST_TEXT = 100_000
"""Characters of one message that are taken in at all; what is read of them is the switchboard's business."""
IDLE_PING_SECONDS = 25.0


class FromClient(BaseModel):
    """What a client may send."""

    type: Literal["user", "choice", "ping"]
    text: str = Field("", max_length=LONGEST_TEXT)
    id: str = Field("", max_length=64)
    message: str = Field("", max_length=64)
    language: Literal["en", "es"] = "en"


class SignIn(BaseModel):
    """The body of `POST /chat/session`: a portal's token, and the session so far.

    `fresh` asks for a new conversation, `visitor` for one that is nobody's.
    """

    customer: str = Field("", max_length=2_000)
    session: str = Field("", max_length=2_000)
    fresh: bool = False
    visitor: bool = False


class WebChat:
    """The web channel.

    Args:
        turns: runs turns apart from sockets.
        rooms: the messages.
        tokens: signs sessions.
        own_url: our public address.
        origins: other sites that may embed the chat.
    """

    def __init__(
        self,
        turns: WebTurns,
        rooms: Rooms,
        tokens: Tokens,
        own_url: str = "",
        origins: Sequence[str] = (),
    ) -> None:
        self._turns = turns
        self._rooms = rooms
        self._tokens = tokens
        self._secure = own_url.startswith("https:")
        self._origins = {origin.rstrip("/") for origin in (own_url, *origins) if origin}
        self._allowances: dict[str, Allowance] = {}

    def router(self) -> APIRouter:
        """The channel's routes."""
        routes = APIRouter()

        @routes.get("/chat/session")
        async def visit(request: Request, response: Response) -> dict[str, str]:
            self._allow_origin(request, response)
            session = self._session(request.cookies.get(COOKIE, ""))
            return self._hand_out(session, response)

        @routes.post("/chat/session")
        async def sign_in(request: Request, response: Response, body: SignIn) -> dict[str, str]:
            self._allow_origin(request, response)
            session = self._session(body.session or request.cookies.get(COOKIE, ""))
            phone = None if body.visitor else session.phone
            if body.customer:
                try:
                    phone = self._tokens.read_customer(body.customer)
                except TokenRejected:
                    response.status_code = 403
                    return {"error": "customer_token_rejected"}
            # Somebody else's conversation is never handed on.
            if body.fresh or phone != session.phone:
                session = self._tokens.new_session(phone)
            return self._hand_out(session, response)

        @routes.options("/chat/session")
        async def preflight(request: Request, response: Response) -> Response:
            answer = Response(status_code=204)
            self._allow_origin(request, answer)
            answer.headers["Access-Control-Allow-Methods"] = "GET, POST"
            answer.headers["Access-Control-Allow-Headers"] = "content-type"
            answer.headers["Access-Control-Max-Age"] = "600"
            return answer

        @routes.websocket("/chat/ws")
        async def socket(ws: WebSocket) -> None:
            await self._serve(ws)

        return routes

    # -- who may come in

    def allows(self, origin: str | None, host: str | None) -> bool:
        """Whether a page of this origin may talk to us; programs send no origin and carry no one's cookies."""
        if origin is None:
            return True
        return origin.rstrip("/") in self._origins or (bool(host) and urlsplit(origin).netloc == host)

    def _allow_origin(self, request: Request, response: Response) -> None:
        origin = request.headers.get("origin")
        if origin and self.allows(origin, request.headers.get("host")):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Credentials"] = "true"
        response.headers["Vary"] = "Origin"
        response.headers["Cache-Control"] = "no-store"

    def _hand_out(self, session: Session, response: Response) -> dict[str, str]:
        token = self._tokens.sign_session(session)
        response.set_cookie(
            COOKIE, token, max_age=86_400, httponly=True, samesite="lax", secure=self._secure, path="/chat"
        )
        return {"session": token, "conversation": session.conversation_id}

    def _session(self, token: str) -> Session:
        """The session of a token; a new one for none or a bad one."""
        try:
            return self._tokens.read_session(token) if token else self._tokens.new_session()
        except TokenRejected:
            return self._tokens.new_session()

    # -- a socket

    async def _serve(self, ws: WebSocket) -> None:
        if not self.allows(ws.headers.get("origin"), ws.headers.get("host")):
            log.warning("web.origin_refused")
            await ws.close(1008)
            return
        session = self._session(ws.query_params.get("session") or ws.cookies.get(COOKIE, ""))
        conversation_id = session.conversation_id
        if self._rooms.sockets >= MOST_SOCKETS or self._rooms.listeners(conversation_id) >= MOST_TABS:
            await ws.close(1013)
            return
        await ws.accept()
        listener = self._rooms.join(conversation_id)
        try:
            listener.number = await self._greet(ws, session)
            listener.news.set()
            async with asyncio.TaskGroup() as tasks:
                writer = tasks.create_task(self._write(ws, conversation_id, listener))
                await self._read(ws, session)
                writer.cancel()
        except* (WebSocketDisconnect, ConnectionError, RuntimeError) as gone:
            # Starlette says RuntimeError for a send on a socket that is closed; anything else of that type is ours.
            if any(isinstance(error, RuntimeError) for error in gone.exceptions) and (
                ws.application_state is WebSocketState.CONNECTED and ws.client_state is WebSocketState.CONNECTED
            ):
                raise
        finally:
            self._rooms.leave(conversation_id, listener)
            self._forget_allowance(conversation_id)

    async def _greet(self, ws: WebSocket, session: Session) -> int:
        """Say hello; the number after which this socket wants messages."""
        try:
            last = await self._rooms.last(session.conversation_id)
        except RedisError as error:
            log.warning("web.last_unknown", error=type(error).__name__)
            last = 0
        await ws.send_json(
            {
                "type": "hello",
                "conversation": session.conversation_id,
                "seq": last,
                "session": self._tokens.sign_session(session),
            }
        )
        asked = ws.query_params.get("after", "0")
        number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 12 else 0
        # A number from the future belongs to another conversation, or to one whose messages are gone.
        return number if number <= last else 0

    async def _write(self, ws: WebSocket, conversation_id: str, listener: Listener) -> None:
        while not told_to_stop():
            try:
                async with asyncio.timeout(IDLE_PING_SECONDS):
                    await listener.news.wait()
            except TimeoutError:
                listener.look = True  # now and then: no wake-up is promised
            listener.news.clear()
            try:
                for seq, message in listener.following():
                    listener.number = seq
                    await ws.send_json({**message, "seq": seq})
                if listener.look or listener.number < listener.known:
                    listener.look = False
                    for seq, message in await self._rooms.after(conversation_id, listener.number):
                        listener.number = seq
                        await ws.send_json({**message, "seq": seq})
            except RedisError as error:
                log.warning("web.messages_unread", error=type(error).__name__)
                await asyncio.sleep(0.2)
                listener.look = True
                listener.news.set()
            while listener.unnumbered:
                await ws.send_json(listener.unnumbered.popleft())

    async def _read(self, ws: WebSocket, session: Session) -> None:
        allowance = self._allowances.setdefault(session.conversation_id, Allowance(burst=8, per_second=0.8))
        warned = Allowance(burst=1, per_second=0.5)
        while True:
            frame = await ws.receive()
            if frame["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(frame.get("code", 1005))
            if frame.get("text") is None:
                await _error(ws, "not_text", "I can only read text messages.")
                continue
            try:
                message = FromClient.model_validate(_mended(json.loads(frame["text"])))
            except (ValidationError, ValueError, RecursionError):
                if allowance.take():
                    await _error(ws, "not_understood", "That message could not be read.")
                continue
            if message.type == "ping":
                await ws.send_json({"type": "pong"})
            elif allowance.take():
                await self._turns.accept(
                    session,
                    text=message.text,
                    turn_id=(message.id if message.type == "user" else message.message) or secrets.token_urlsafe(9),
                    choice=message.id if message.type == "choice" else "",
                    language=message.language,
                )
            elif warned.take():
                await _error(
                    ws,
                    "slow_down",
                    "You are writing faster than I can read. Please wait a few seconds and send that again.",
                    message.id if message.type == "user" else message.message,
                )

    def _forget_allowance(self, conversation_id: str) -> None:
        if not self._rooms.listeners(conversation_id):
            allowance = self._allowances.get(conversation_id)
            # One that was used stays, so that coming back does not refill it; a full one says nothing.
            if allowance is not None and allowance.is_full:
                del self._allowances[conversation_id]
            if len(self._allowances) > 2 * MOST_SOCKETS:
                self._allowances = {key: kept for key, kept in self._allowances.items() if not kept.is_full}


def _mended(value: Any) -> Any:
    """The object with halves of characters replaced; JavaScript cuts emoji in two and JSON lets them through."""
    if not isinstance(value, dict):
        return value
    return {
        name: item.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if isinstance(item, str) else item
        for name, item in value.items()
    }


async def _error(ws: WebSocket, code: str, text: str, ident: str = "") -> None:
    await ws.send_json({"type": "error", "code": code, "text": text, "id": ident})
