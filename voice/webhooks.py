"""Twilio's webhooks for calls: what a call follows at its beginning, after a stream, after a transfer, and by keys."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

import structlog
from fastapi import APIRouter, Query, Request, Response

from bot.switchboard.metrics import failures
from integrations.base.phones import to_e164
from integrations.base.settings import Settings
from integrations.twilio.webhooks import Fields, WebhookRefused, signed_form
from voice import metrics
from voice.admission import Admission
from voice.design import Design, Sentence
from voice.menu import Menu
from voice.records import CallRecord, CallRecords
from voice.twiml import DIALLED, MENU, NEXT, Documents

log = structlog.get_logger()

MOST_RESUMES = 6
"""Streams that one call may lose before it gets the keypad menu for good."""
_ANSWERED = ("completed", "answered")
_OVER = ("completed", "busy", "failed", "no-answer", "canceled")

Answer = Callable[[CallRecord, Fields], Awaitable[str]]


class Webhooks:
    """The routes.

    Args:
        settings: PUBLIC_URL and TWILIO_AUTH_TOKEN.
        design: the menu's words.
        documents: writes TwiML.
        menu: the keypad's.
        records: of calls.
        admission: whether a call can be talked with.
    """

    def __init__(
        self,
        settings: Settings,
        design: Design,
        documents: Documents,
        menu: Menu,
        records: CallRecords,
        admission: Admission,
    ) -> None:
        self._public_url = settings.public_url
        self._token = settings.twilio_auth_token.get_secret_value()
        self._design = design
        self._documents = documents
        self._menu = menu
        self._records = records
        self._admission = admission

    def router(self) -> APIRouter:
        """The routes, to be included by the gateway."""
        routes = APIRouter()

        @routes.post("/twilio/voice")
        async def incoming(request: Request) -> Response:
            return await self._answer(request, self._incoming)

        @routes.post(NEXT)
        async def after_stream(request: Request) -> Response:
            return await self._answer(request, self._after_stream)

        @routes.post(DIALLED)
        async def after_dial(request: Request) -> Response:
            return await self._answer(request, self._after_dial)

        @routes.post(MENU)
        async def keys(
            request: Request, at: Annotated[str, Query(max_length=20)] = "main", step: Annotated[int, Query(ge=0)] = 0
        ) -> Response:
            return await self._answer(
                request, lambda record, form: self._menu.pressed(record, at, step, form.get("Digits", "")[:40])
            )

        # Nothing in it is a secret, and whoever cannot be checked has to hear it all the same.
        @routes.api_route("/twilio/voice/fallback", methods=["GET", "POST"])
        async def fallback() -> Response:
            metrics.calls.labels("fallback").inc()
            return _xml(self._documents.fallback())

        @routes.post("/twilio/status/voice")
        async def status(request: Request) -> Response:
            form = await self._signed(request)
            if isinstance(form, Response):
                return form
            sid, state = form.get("CallSid", ""), form.get("CallStatus", "")
            if not (sid and state):
                return Response(status_code=400)
            if state in _OVER:
                log.info("voice.call_over", call=sid[:64], status=state, seconds=form.get("CallDuration", "")[:8])
                await self._admission.over(sid)
            return Response(status_code=204)

        return routes

    async def _signed(self, request: Request) -> Fields | Response:
        try:
            return await signed_form(request, self._public_url, self._token)
        except WebhookRefused as refused:
            if refused.status == 403:
                failures.labels("twilio_signature").inc()
                log.warning("voice.signature_refused", path=request.url.path)
            return Response(status_code=refused.status)

    async def _answer(self, request: Request, answer: Answer) -> Response:
        form = await self._signed(request)
        if isinstance(form, Response):
            return form
        sid = form.get("CallSid", "")
        if not (0 < len(sid) <= 64 and sid.isalnum()):
            log.warning("voice.fields_missing")
            return Response(status_code=400)
        try:
            record = await self._records.open(sid, to_e164(form.get("From", "")) or "", form.get("FromState", "")[:2])
            return _xml(await answer(record, form))
        except (
            Exception
        ) as error:  # the boundary of a call: whatever broke, the caller hears something and gets a person
            failures.labels("voice_webhook").inc()
            log.error("voice.webhook_failed", error=type(error).__name__, exc_info=error)
            return _xml(self._documents.fallback())

    # -- what comes next

    async def _incoming(self, record: CallRecord, _: Fields) -> str:
        return await self._talk(record, "")

    async def _talk(self, record: CallRecord, resume: str, *before: Sentence) -> str:
        """Talk with the caller if that can be done well, else by keys."""
        problem = await self._admission.ask(record.call_sid)
        if problem:
            log.warning("voice.menu_instead", call=record.call_sid, reason=problem)
            failures.labels(f"voice_{problem}").inc()
            said = [self._documents.text(one, record) for one in before]
            return await self._menu.open(record, *said)
        return self._documents.stream(record, resume)

    async def _after_stream(self, record: CallRecord, _: Fields) -> str:
        then = record.next
        if then == "hang_up":
            return self._documents.goodbye(record)
        if then == "person":
            return self._documents.person(record)
        record.streams += 1
        await self._records.save(record)
        if then == "menu" or record.streams > MOST_RESUMES:
            return await self._menu.open(record)
        log.warning("voice.stream_lost", call=record.call_sid, times=record.streams)
        return await self._talk(record, "resumed")

    async def _after_dial(self, record: CallRecord, form: Fields) -> str:
        if form.get("DialCallStatus") in _ANSWERED:
            record.next = "hang_up"
            await self._records.save(record)
            return self._documents.goodbye(record)
        log.info("voice.nobody_answered", call=record.call_sid, status=form.get("DialCallStatus", "")[:20])
        metrics.calls.labels("nobody").inc()
        nobody = self._design.menu.nobody
        if record.by_keys:
            return await self._menu.open(record, self._documents.text(nobody, record))
        return await self._talk(record, "nobody", nobody)


def _xml(document: str) -> Response:
    return Response(document, media_type="text/xml; charset=utf-8")
