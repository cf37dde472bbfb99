"""Twilio's webhooks for messages: checked, queued, answered at once."""

from __future__ import annotations

from xml.sax.saxutils import escape

import structlog
from fastapi import APIRouter, Request, Response
from redis.exceptions import RedisError

from bot.channels.sms_queue import Text, TextQueue
from bot.switchboard.emergency import Guard, Script, find_emergency
from bot.switchboard.metrics import failures
from bot.switchboard.models import Channel, Media
from bot.switchboard.text import normalise
from bot.switchboard.wording import Wording
from integrations.base.clock import utc_now
from integrations.base.phones import to_e164
from integrations.base.settings import Settings
from integrations.twilio.webhooks import Fields, WebhookRefused, signed_form

log = structlog.get_logger()

MOST_MEDIA = 10
_WHATSAPP = "whatsapp:"
_EMPTY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
_XML = "text/xml; charset=utf-8"


def router(settings: Settings, texts: TextQueue, guard: Guard, script: Script, wording: Wording) -> APIRouter:
    """`POST /twilio/sms` and `POST /twilio/status/sms`.

    Args:
        settings: PUBLIC_URL and TWILIO_AUTH_TOKEN.
        texts: where messages go.
        guard: for the one case that nothing can be queued.
        script: its words.
        wording: our own.
    """
    routes = APIRouter()
    token = settings.twilio_auth_token.get_secret_value()

    async def signed(request: Request) -> Fields | Response:
        """The form of a request that Twilio signed, or the answer to one that it did not."""
        try:
            return await signed_form(request, settings.public_url, token)
        except WebhookRefused as refused:
            if refused.status == 403:
                failures.labels("twilio_signature").inc()
                log.warning("sms.signature_refused", path=request.url.path)
            return Response(status_code=refused.status)

    @routes.post("/twilio/sms")
    async def incoming(request: Request) -> Response:
        form = await signed(request)
        if isinstance(form, Response):
            return form
        text = _text(form)
        if text is None:
            log.warning("sms.fields_missing")
            return Response(status_code=400)
        try:
            is_new = await texts.accept(text)
        except RedisError as error:
            failures.labels("sms_queue").inc()
            log.error("sms.not_queued", error=type(error).__name__)
            return _twiml(_honest(text))
        if not is_new:
            log.info("sms.repeated", sid=text.sid)
        return Response(_EMPTY, media_type=_XML)

    @routes.post("/twilio/status/sms")
    async def delivery(request: Request) -> Response:
        form = await signed(request)
        if isinstance(form, Response):
            return form
        sid, state = form.get("MessageSid", ""), form.get("MessageStatus", "")
        if not (sid and state):
            return Response(status_code=400)
        code = form.get("ErrorCode", "")
        try:
            await texts.delivered(sid, state[:30], code[:10])
        except RedisError as error:
            log.error("sms.delivery_not_kept", error=type(error).__name__)
            return Response(status_code=503)
        if state in ("failed", "undelivered"):
            failures.labels("sms_delivery").inc()
            log.warning("sms.not_delivered", sid=sid, code=code)
        return Response(status_code=204)

    def _honest(text: Text) -> str:
        """What to say when the message cannot even be queued: the script in an emergency, else the truth."""
        read = normalise(text.body)
        emergency = find_emergency(guard, read.windows(), "en") if read.whole else None
        if emergency is None:
            return wording.say("failed_unkept", "en", text.channel)
        language = str(getattr(emergency, "language", "en"))
        words = script(emergency.kind, text.channel, language)
        return f"{words} {wording.say('emergency_person', language, text.channel)}"

    return routes


def _twiml(text: str) -> Response:
    body = f'<?xml version="1.0" encoding="UTF-8"?><Response><Message>{escape(text)}</Message></Response>'
    return Response(body, media_type=_XML)


def _text(form: Fields) -> Text | None:
    """The message of a form; None when what it needs is missing."""
    sender, recipient = form.get("From", ""), form.get("To", "")
    channel: Channel = "whatsapp" if sender.startswith(_WHATSAPP) else "sms"
    sid = form.get("MessageSid") or form.get("SmsSid") or ""
    from_number = _number(sender.removeprefix(_WHATSAPP))
    to_number = _number(recipient.removeprefix(_WHATSAPP))
    if not (sid and from_number and to_number and "Body" in form):
        return None
    count = form.get("NumMedia", "0")
    media = tuple(
        Media(form[f"MediaUrl{index}"], form.get(f"MediaContentType{index}", ""))
        for index in range(min(int(count) if count.isascii() and count.isdigit() else 0, MOST_MEDIA))
        if form.get(f"MediaUrl{index}")
    )
    return Text(sid[:64], from_number, to_number, form["Body"], channel, utc_now(), media)


def _number(raw: str) -> str | None:
    """E.164, or a short code as it is."""
    if raw.isascii() and raw.isdigit() and 3 <= len(raw) <= 6:
        return raw
    return to_e164(raw)
