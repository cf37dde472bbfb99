"""The gateway: the one public process. `python -m bot.app`."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import httpx
import structlog
import uvicorn
import uvloop
from fastapi import FastAPI, Request, Response
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot import safety
from bot.channels import demo, health, push, site, sms_hooks
from bot.channels.rooms import OPEN_TURNS, Rooms
from bot.channels.sms_queue import TEXTS, TextQueue
from bot.channels.web import WebChat
from bot.channels.web_turns import WebTurns
from bot.identity.by_phone import PhoneBook, PhoneIdentity
from bot.identity.store import IdentityStore
from bot.identity.tokens import Tokens
from bot.switchboard import Switchboard
from bot.switchboard.choices import ChoiceBook
from bot.switchboard.claims import TurnClaims
from bot.switchboard.dialogue import Dialogue
from bot.switchboard.emergency import EmergencyDesk, Guard, Reports, Script, find_emergency
from bot.switchboard.journal import Journal
from bot.switchboard.metrics import queue_depth
from bot.switchboard.order import ConversationOrder
from bot.switchboard.wording import Wording
from integrations.base.logs import configure_logs
from integrations.base.redis import connect
from integrations.base.settings import Settings, SettingsError, get_settings
from integrations.base.utility import get_utility
from integrations.cis.client import CisClient
from integrations.oms.client import MultiSpeakOms
from integrations.oms.reports import TroubleReports
from integrations.records.database import Database, upgrade
from voice import ear, telephone
from voice.design import DesignError
from voice.protocols import VoiceActivity
from voice.speech.client import SpeechClient
from voice.telephone import SpeechProcess, Telephone

log = structlog.get_logger()

GRACE_SECONDS = 7.0
"""For running turns when the process ends; with the server's own three they make ten."""
WORKER_ALIVE = "worker:alive"
"""Key that a running worker keeps fresh."""


@dataclass(slots=True)
class Parts:
    """What a process of the conversation is made of."""

    settings: Settings
    redis: Redis
    http: httpx.AsyncClient
    database: Database
    cis: CisClient
    oms: MultiSpeakOms
    reports: TroubleReports
    journal: Journal
    guard: Guard
    script: Script
    dialogue: Dialogue
    switchboard: Switchboard
    wording: Wording
    tokens: Tokens
    telephone: Telephone

    async def aclose(self) -> None:
        """Close everything, what uses others first."""
        await self.switchboard.stop()
        await self.dialogue.aclose()
        await self.oms.aclose()
        await self.cis.aclose()
        await self.http.aclose()
        await self.database.close()
        await self.redis.aclose()


def build(
    settings: Settings,
    guard: Guard | None = None,
    script: Script | None = None,
    phone_book: PhoneBook | None = None,
    emergency_reports: Reports | None = None,
    speech: SpeechProcess | None = None,
    activity: Callable[[], VoiceActivity] = ear.activity_of_call,
) -> Parts:
    """Put the parts together; nothing is called yet.

    Args:
        settings: the environment.
        guard: instead of the safety guard's rules.
        script: instead of its scripts.
        phone_book: instead of the CIS.
        emergency_reports: instead of the database and the OMS.
        speech: instead of the speech process.
        activity: instead of the detector of voice, one a call.
    """
    session_seconds = int(settings.session_minutes * 60)
    redis = connect(settings.redis_url)
    http = httpx.AsyncClient(limits=httpx.Limits(max_connections=500, max_keepalive_connections=100))
    database = Database.from_settings(settings)
    cis = CisClient.from_settings(settings)
    oms = MultiSpeakOms.from_settings(settings)
    reports = TroubleReports(database, oms)
    journal = Journal(redis)
    people = phone_book or cis
    guard = guard or safety.get_guard()
    script = script or safety.script
    dialogue = Dialogue(
        settings.rasa_url_list,
        settings.rasa_token.get_secret_value(),
        whole_turn=settings.turn_timeout_seconds,
    )
    wording = Wording.of(get_utility())
    switchboard = Switchboard(
        redis=redis,
        claims=TurnClaims(redis),
        order=ConversationOrder(redis),
        choices=ChoiceBook(redis, session_seconds),
        journal=journal,
        dialogue=dialogue,
        identity=PhoneIdentity(IdentityStore(redis, session_seconds), people),
        guard=guard,
        script=script,
        desk=EmergencyDesk(emergency_reports or reports, people, redis, journal),
        wording=wording,
    )
    tokens = Tokens(settings.webchat_secret.get_secret_value())
    phone = telephone.build(
        settings,
        get_utility(),
        switchboard,
        redis,
        tokens,
        speech=speech or SpeechClient.from_settings(settings),
        activity=activity,
        checks={"redis": redis.ping, "rasa": dialogue.ready, "ear": ear.ready},
        urgent=lambda text, language: find_emergency(guard, (text,), language) is not None,
    )
    return Parts(
        settings,
        redis,
        http,
        database,
        cis,
        oms,
        reports,
        journal,
        guard,
        script,
        dialogue,
        switchboard,
        wording,
        tokens,
        phone,
    )


def create_app(settings: Settings, build_parts: Callable[[Settings], Parts] = build) -> FastAPI:
    """The gateway's application.

    Args:
        settings: the environment.
        build_parts: makes the parts; tests hand in their own.
    """
    parts = build_parts(settings)
    rooms = Rooms(parts.redis, int(settings.session_minutes * 60))
    turns = WebTurns(parts.switchboard, rooms, parts.wording)
    origins = [part.strip() for part in settings.webchat_origins.split(",") if part.strip()]
    chat = WebChat(turns, rooms, parts.tokens, settings.public_url, origins)
    texts = TextQueue(parts.redis, settings.webchat_secret.get_secret_value(), int(settings.session_minutes * 60))

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await upgrade(settings.database_url)
        rooms.start()
        turns.start()
        await ear.ready()
        await parts.telephone.start()
        log.info("gateway.started", port=settings.port)
        try:
            yield
        finally:
            await turns.stop(GRACE_SECONDS)
            await parts.telephone.stop()
            await rooms.stop()
            await parts.aclose()
            log.info("gateway.stopped")

    app = FastAPI(title="Porchlight", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.parts = parts

    @app.middleware("http")
    async def close_up(request: Request, call_next: Callable[..., object]) -> Response:
        response: Response = await call_next(request)  # type: ignore[misc]  # Starlette types it loosely
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        return response

    async def redis_answers() -> bool:
        return bool(await parts.redis.ping())

    async def database_answers() -> bool:
        await parts.database.ping()
        return True

    async def actions_answer() -> bool:
        url = f"http://127.0.0.1:{settings.actions_port}/health"
        return (await parts.http.get(url, timeout=1.5)).status_code == 200

    async def worker_lives() -> bool:
        return bool(await parts.redis.exists(WORKER_ALIVE))

    async def gauge() -> None:
        with contextlib.suppress(RedisError):  # an old figure is better than no figures
            queue_depth.labels("texts").set(await parts.redis.xlen(TEXTS))
            queue_depth.labels("web").set(await parts.redis.hlen(OPEN_TURNS))

    needed = {
        "redis": redis_answers,
        "database": database_answers,
        "rasa": parts.dialogue.ready,
        "actions": actions_answer,
    }
    app.include_router(health.router(needed, {"worker": worker_lives}, gauge))
    app.include_router(chat.router())
    app.include_router(sms_hooks.router(settings, texts, parts.guard, parts.script, parts.wording))
    app.include_router(parts.telephone.routes)
    app.include_router(push.router(settings.oms_push_secret.get_secret_value(), parts.redis))
    if settings.sandbox_on:
        app.include_router(demo.router(settings.sandbox_url, parts.http, parts.tokens, parts.redis))
    app.include_router(site.router(settings.sandbox_on, get_utility()))
    return app


def refuse_unsafe(settings: Settings) -> None:
    """Outside the sandbox nothing may stand on a secret that everybody can read in the source.

    Raises:
        SettingsError: naming what to set.
    """
    if settings.sandbox_on:
        return
    missing = [
        name
        for name, value in (
            ("WEBCHAT_SECRET", settings.webchat_secret.get_secret_value()),
            ("RASA_TOKEN", settings.rasa_token.get_secret_value()),
            ("TWILIO_AUTH_TOKEN", settings.twilio_auth_token.get_secret_value()),
            ("PUBLIC_URL", settings.public_url),
        )
        if value in ("", "local-only")
    ]
    if missing:
        raise SettingsError(
            "Cannot start without the simulated utility; set these in the environment: " + ", ".join(missing)
        )


def serve(settings: Settings, build_parts: Callable[[Settings], Parts] = build) -> None:
    """Serve until told to stop."""
    config = uvicorn.Config(
        create_app(settings, build_parts),
        host=settings.host,
        port=settings.port,
        log_config=None,
        # Addresses carry session tokens.
        access_log=False,
        ws_max_size=1_000_000,
        ws_ping_interval=20,
        ws_ping_timeout=20,
        timeout_graceful_shutdown=3,
        server_header=False,
    )
    uvloop.run(uvicorn.Server(config).serve())


def main() -> None:
    """The process."""
    try:
        settings = get_settings()
        refuse_unsafe(settings)
    except SettingsError as error:
        raise SystemExit(str(error)) from None
    configure_logs(settings.log_level, settings.log_json)
    try:
        serve(settings)
    except DesignError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
