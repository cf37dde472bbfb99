"""The Calls resource of the simulated Twilio, and the routes by which phones elsewhere take part in calls."""

from __future__ import annotations

import asyncio
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from ..twilio_api import authorised, error
from . import twiml
from .call import Call
from .carrier import Carrier, NotInProgress
from .follow import Answered
from .phones import RemotePhone

LONGEST_TWIML = 4_000
LOOK_SECONDS = 10.0
"""How long a phone may wait for news in one request; the page's proxy waits longer."""
LOST_SECONDS = 45.0
"""A phone that has not asked for so long is gone, and its call ends."""


def rest(carrier: Carrier) -> APIRouter:
    """Twilio's routes, under /twilio as TWILIO_API_URL has it."""
    account = carrier.account
    routes = APIRouter(prefix="/twilio/2010-04-01/Accounts/{sid}/Calls", tags=["twilio"])

    def find(request: Request, sid: str, call_sid: str) -> Call | JSONResponse:
        if not authorised(request, account):
            return error(401, 20003, "Authenticate")
        call = carrier.calls.get(call_sid)
        if sid != account.sid or call is None:
            return error(404, 20404, f"The requested resource {request.url.path.removeprefix('/twilio')} was not found")
        return call

    @routes.get("/{call_sid}.json")
    async def fetch(sid: str, call_sid: str, request: Request) -> JSONResponse:
        call = find(request, sid, call_sid)
        return call if isinstance(call, JSONResponse) else JSONResponse(call.as_twilio())

    @routes.post("/{call_sid}.json")
    async def update(sid: str, call_sid: str, request: Request) -> JSONResponse:
        call = find(request, sid, call_sid)
        if isinstance(call, JSONResponse):
            return call
        raw = parse_qs((await request.body()).decode("utf-8", "replace"), keep_blank_values=True)
        refused = await _update(carrier, call, {name: values[0] for name, values in raw.items()})
        return refused or JSONResponse(call.as_twilio())

    return routes


async def _update(carrier: Carrier, call: Call, form: dict[str, str]) -> JSONResponse | None:
    """Change a call; the answer when it is refused."""
    status, given, url = form.get("Status", ""), form.get("Twiml", ""), form.get("Url", "")
    if status not in ("", "completed", "canceled"):
        return error(400, 20001, "Invalid status")
    if given and url:
        return error(400, 20001, "Twiml and Url parameters are mutually exclusive")
    if len(given) > LONGEST_TWIML:
        return error(400, 20001, "Twiml has more than 4000 characters")
    if url and urlsplit(url).scheme not in ("http", "https"):
        return error(400, 21205, "Url is not a valid URL")
    if not call.is_live:
        return error(400, 21220, "Call is not in-progress. Cannot redirect.")
    if status:
        await carrier.hang_up(call, by="api")
        return None
    document = None
    if given:
        try:
            document = twiml.parse(given, carrier.number.voice)
        except twiml.TwimlError as problem:
            return error(400, problem.code, str(problem))
    elif not url:
        return error(400, 20001, "Nothing to change")
    try:
        await carrier.direct(call, document, url, form.get("Method", "POST"))
    except NotInProgress:
        return error(400, 21220, "Call is not in-progress. Cannot redirect.")
    return None


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DialledTo(_Body):
    """What becomes of a number that the application dials; see Answered."""

    status: Literal["completed", "busy", "no-answer", "failed"] = "completed"
    ring_seconds: float = Field(2.0, ge=0, le=120)
    talk_seconds: float | None = Field(None, ge=0, le=3600)


class CallRequest(BaseModel):
    """A call to place."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    sender: str = Field(alias="from", pattern=r"^\+[1-9]\d{5,14}$")
    dialled: DialledTo = Field(default_factory=DialledTo)


class StreamEnded(_Body):
    """A phone's stream is over."""

    stream_sid: str = Field(max_length=40)
    ending: Literal["closed", "dropped", "refused", "broken"] = "closed"


class Keys(_Body):
    """Keys pressed while no stream is open."""

    keys: str = Field(pattern=r"^[0-9*#]{1,32}$")


def view(call: Call) -> dict[str, Any]:
    """What a phone is shown of its call."""
    return {
        "sid": call.sid, "status": call.status, "version": call.version, "error": call.error,
        "doing": {"verb": call.doing.verb, **call.doing.detail},
    }  # fmt: skip


class Lobby:
    """Phones that are elsewhere, and their calls."""

    def __init__(self, carrier: Carrier) -> None:
        self.carrier = carrier
        self._phones: dict[str, RemotePhone] = {}
        self._asked: dict[str, float] = {}
        self._watcher: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look for phones that have gone away."""
        self._watcher = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """End all calls."""
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)
        await self.carrier.stop()

    def place(self, asked: CallRequest) -> Call:
        """Call for a phone that is elsewhere."""
        outcome = Answered(**asked.dialled.model_dump())
        phone = RemotePhone(self.carrier.pace)
        call = self.carrier.place(asked.sender, phone, lambda number: outcome)
        self._phones[call.sid] = phone
        self.seen(call)
        return call

    def find(self, sid: str) -> tuple[Call, RemotePhone]:
        """A call of such a phone.

        Raises:
            HTTPException: 404, there is none.
        """
        call, phone = self.carrier.calls.get(sid), self._phones.get(sid)
        if call is None or phone is None:
            raise HTTPException(404, "no such call")
        self.seen(call)
        return call, phone

    def seen(self, call: Call) -> None:
        """Its phone is there."""
        self._asked[call.sid] = self.carrier.pace.now()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(5.0)
            await self.end_lost()

    async def end_lost(self) -> None:
        """Hang up where the phone has not been heard of, and forget what is over."""
        now = self.carrier.pace.now()
        for sid, asked in list(self._asked.items()):
            call = self.carrier.calls.get(sid)
            if call is None:
                self._phones.pop(sid, None)
                self._asked.pop(sid, None)
            elif call.is_live and now - asked > LOST_SECONDS:
                await self.carrier.hang_up(call, by="lost")


def control(lobby: Lobby) -> APIRouter:
    """The routes of phones that are elsewhere."""
    routes = APIRouter(prefix="/sandbox/calls", tags=["sandbox"])

    @routes.post("", status_code=201)
    async def place(asked: CallRequest) -> dict[str, Any]:
        call = lobby.place(asked)
        return view(call)

    @routes.get("/{sid}")
    async def look(sid: str, after: int = Query(-1)) -> dict[str, Any]:
        call, _ = lobby.find(sid)
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await call.after(after)
        except TimeoutError:
            pass  # no news is an answer too
        lobby.seen(call)
        return view(call)

    @routes.get("/{sid}/events")
    async def events(sid: str) -> list[dict[str, Any]]:
        call, _ = lobby.find(sid)
        return [{"at": round(one.at, 3), "what": one.what, **one.detail} for one in call.timeline.events]

    @routes.post("/{sid}/keys")
    async def keys(sid: str, asked: Keys) -> dict[str, Any]:
        call, _ = lobby.find(sid)
        for key in asked.keys:
            call.keys.put_nowait(key)
        return view(call)

    @routes.post("/{sid}/stream-ended")
    async def stream_ended(sid: str, asked: StreamEnded) -> dict[str, Any]:
        call, phone = lobby.find(sid)
        phone.stream_ended(asked.stream_sid, asked.ending)
        return view(call)

    @routes.post("/{sid}/hang-up")
    async def hang_up(sid: str) -> dict[str, Any]:
        call, _ = lobby.find(sid)
        await lobby.carrier.hang_up(call)
        return view(call)

    return routes
