"""The simulated utility's HTTP application: every system on one port."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import structlog
from fastapi import FastAPI

from . import arcgis_api, cis_api, control, oms_api, twilio_api
from .calls import api as calls_api
from .calls.carrier import Carrier
from .calls.hooks import Number
from .faults import FaultMiddleware
from .texting import TextingPhone, Webhook
from .twilio_api import Account, Callbacks
from .utility import Utility

log = structlog.get_logger()

TICK_SECONDS = 0.25
DEFAULT_ACCOUNT = Account("AC" + "0" * 32, "sandbox-auth-token", "+15555550100")
DEFAULT_WEBHOOK = Webhook("http://127.0.0.1:8080/twilio/sms", "http://localhost:8080/twilio/sms")
DEFAULT_NUMBER = Number(
    "http://localhost:8080/twilio/voice", public="http://localhost:8080", local="http://127.0.0.1:8080"
)


def create_app(
    utility: Utility,
    account: Account = DEFAULT_ACCOUNT,
    webhook: Webhook = DEFAULT_WEBHOOK,
    cis_token: str = "",
    ticking: bool = True,
    number: Number = DEFAULT_NUMBER,
) -> FaultMiddleware:
    """Put the utility behind its protocols.

    Args:
        utility: what to show.
        account: the simulated Twilio account.
        webhook: where texts from the simulated phone go.
        cis_token: bearer token that the CIS asks for; empty: none.
        ticking: let time pass by itself; tests that hold the clock call ``utility.advance()`` instead.
        number: where calls to our number go.
    """
    lobby = calls_api.Lobby(Carrier(account, number, clock=utility.clock))
    callbacks = Callbacks(account, utility.texts)

    async def tick() -> None:
        while True:
            try:
                utility.advance()
            except Exception:
                # The simulation must not stop for the rest of the day because of one bad step.
                log.exception("a simulated step failed")
            await asyncio.sleep(TICK_SECONDS)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await utility.pushes.start()
        lobby.start()
        task = asyncio.create_task(tick()) if ticking else None
        yield
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await lobby.stop()
        await callbacks.stop()
        await utility.pushes.stop()

    app = FastAPI(title="Simulated utility", lifespan=lifespan)
    app.include_router(oms_api.router(utility))
    app.include_router(cis_api.router(utility, cis_token))
    app.include_router(arcgis_api.router(utility.areas))
    app.include_router(twilio_api.router(account, utility.texts, callbacks))
    app.include_router(calls_api.rest(lobby.carrier))
    app.include_router(calls_api.control(lobby))
    app.include_router(control.router(utility, TextingPhone(account, utility.texts, webhook)))

    @app.get("/healthz")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    # Outermost, so that a fault can break the connection itself.
    return FaultMiddleware(app, utility.faults)
