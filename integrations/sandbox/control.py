"""The switches of the simulated utility, for the demo page and for tests: everything under /sandbox."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field

from . import switches
from .faults import Fault, Mode, System
from .outages import SimOutage
from .texting import TextingPhone
from .utility import Utility


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class StormRequest(_Body):
    """A storm to start; see Utility.start_storm."""

    customers: int = Field(20_000, ge=1)
    seed: int = 1
    speed: float = Field(1.0, gt=0, le=100_000)
    head_start_minutes: float = Field(120.0, ge=0)
    spare_demo: bool = False


class FaultRequest(_Body):
    """How a system shall misbehave; ``seconds`` is the delay of mode slow, ``times`` how many requests it lasts."""

    system: System
    mode: Mode
    seconds: float = Field(5.0, ge=0, le=600)
    times: int | None = Field(None, ge=1)


class TextRequest(BaseModel):
    """A text from a customer's phone."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    sender: str = Field(alias="from", pattern=r"^\+[1-9]\d{6,14}$")
    body: str = Field("", max_length=100_000)
    media: list[str] = Field(default_factory=list, max_length=10)
    sid: str = Field("", description="A MessageSid to use again", pattern=r"^$|^(SM|MM)[0-9a-f]{32}$")
    signature: str | None = Field(None, description="In place of the right one")


class StoppedRequest(_Body):
    """A number that the carrier blocks for us, or no longer."""

    phone: str = Field(pattern=r"^\+[1-9]\d{6,14}$")
    stopped: bool = True


class SubscribeRequest(_Body):
    """Where to post notifications."""

    url: str = Field(pattern=r"^https?://")


def router(utility: Utility, phone: TextingPhone) -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/sandbox", tags=["sandbox"])
    _state_routes(routes, utility)
    _outage_routes(routes, utility)
    _wire_routes(routes, utility, phone)
    return routes


def _state_routes(routes: APIRouter, utility: Utility) -> None:
    @routes.get("/customers")
    async def customers() -> list[dict[str, Any]]:
        return utility.demo_customers()

    @routes.post("/reset")
    async def reset() -> dict[str, Any]:
        utility.reset()
        return _summary(utility)

    @routes.get("/state")
    async def state() -> dict[str, Any]:
        return _summary(utility)

    @routes.post("/storm")
    async def storm(asked: StormRequest) -> dict[str, Any]:
        utility.start_storm(**asked.model_dump())
        return _summary(utility)

    @routes.get("/storm")
    async def storm_state() -> dict[str, Any]:
        return _summary(utility)

    @routes.delete("/storm")
    async def calm() -> dict[str, Any]:
        utility.stop_storm()
        return _summary(utility)


def _summary(utility: Utility) -> dict[str, Any]:
    storm = utility.storm
    return {
        "storm": storm is not None,
        "storm_over": storm.done if storm else True,
        "storm_seed": storm.seed if storm else None,
        "storm_speed": storm.speed if storm else None,
        "active_outages": len(utility.outages.active()),
        "customers_out": utility.outages.rows_out(),
        "service_points": utility.territory.size,
    }


def _outage_routes(routes: APIRouter, utility: Utility) -> None:
    def find(outage_id: str) -> SimOutage:
        outage = utility.outages.by_id.get(outage_id)
        if outage is None:
            raise HTTPException(404, "no such outage")
        return outage

    @routes.get("/outages")
    async def outages(limit: int = Query(200, ge=1, le=10_000)) -> list[dict[str, Any]]:
        return [switches.as_json(outage) for outage in utility.outages.active()[:limit]]

    @routes.post("/outages", status_code=201)
    async def make(asked: switches.NewOutage) -> dict[str, Any]:
        try:
            return switches.as_json(switches.make(utility, asked))
        except switches.NoSuchPlace:
            raise HTTPException(404, "no such service point, phone or account") from None

    @routes.get("/outages/{outage_id}")
    async def show(outage_id: str) -> dict[str, Any]:
        return switches.as_json(find(outage_id))

    @routes.patch("/outages/{outage_id}")
    async def change(outage_id: str, asked: switches.OutageChange) -> dict[str, Any]:
        outage = find(outage_id)
        switches.change(utility, outage, asked)
        return switches.as_json(outage)

    @routes.delete("/outages/{outage_id}")
    async def restore(outage_id: str) -> dict[str, Any]:
        outage = find(outage_id)
        utility.outages.restore(outage)
        return switches.as_json(outage)

    @routes.get("/tickets")
    async def tickets(
        service_location: str | None = None, account: str | None = None, phone: str | None = None
    ) -> list[dict[str, Any]]:
        wanted = "".join(char for char in phone or "" if char.isdigit())[-10:]
        return [
            asdict(call)
            for call in utility.tickets.calls.values()
            if service_location in (None, call.service_location)
            and account in (None, call.account_number)
            and (not wanted or "".join(char for char in call.phone if char.isdigit())[-10:] == wanted)
        ]


def _wire_routes(routes: APIRouter, utility: Utility, phone: TextingPhone) -> None:
    @routes.post("/faults")
    async def fault(asked: FaultRequest) -> dict[str, Any]:
        utility.faults.set(asked.system, Fault(asked.mode, asked.seconds, asked.times))
        return asdict(utility.faults.current(asked.system))

    @routes.get("/faults")
    async def faults() -> dict[str, Any]:
        return {name: asdict(utility.faults.current(name)) for name in ("oms", "cis", "gis", "twilio")}

    @routes.post("/subscribe")
    async def subscribe(asked: SubscribeRequest) -> dict[str, Any]:
        box = utility.pushes.subscribe(asked.url)
        return {"url": box.url, "waiting": len(box.events)}

    @routes.delete("/subscribe")
    async def unsubscribe(url: str) -> dict[str, bool]:
        return {"removed": utility.pushes.unsubscribe(url)}

    @routes.get("/subscribe")
    async def subscribers() -> list[dict[str, Any]]:
        return [
            {"waiting": len(box.events) + len(box.members), "delivered": box.delivered, "failures": box.failures}
            for box in utility.pushes.boxes.values()
        ]

    @routes.post("/texts")
    async def text(asked: TextRequest) -> dict[str, Any]:
        return await phone.send(asked.sender, asked.body, asked.media, asked.sid, asked.signature)

    @routes.get("/texts")
    async def texts(phone: str = Query()) -> list[dict[str, Any]]:
        number = "+" + "".join(char for char in phone if char.isdigit())  # a plus sign in a query is often a space
        return [message.as_line() for message in utility.texts.thread(number)]

    @routes.post("/texts/stopped")
    async def stopped(asked: StoppedRequest) -> dict[str, Any]:
        (utility.texts.stopped.add if asked.stopped else utility.texts.stopped.discard)(asked.phone)
        return {"phone": asked.phone, "stopped": asked.phone in utility.texts.stopped}
