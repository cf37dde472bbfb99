"""The simulated Twilio: the Messages resource of its REST API, with its errors, and status callbacks."""

from __future__ import annotations

import asyncio
import base64
import binascii
import secrets
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import httpx
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from twilio.request_validator import RequestValidator

from .texts import E164, Message, Texts

LONGEST = 1600
"""Twilio takes up to 1,600 characters a message (error 21617)."""


@dataclass(slots=True)
class Account:
    """The simulated account: what a client must show, and its number."""

    sid: str
    token: str
    number: str

    def sign(self, url: str, form: dict[str, str]) -> str:
        """X-Twilio-Signature for a request of Twilio's."""
        return str(RequestValidator(self.token).compute_signature(url, form))


@dataclass(slots=True)
class Callbacks:
    """Reports what became of a message, as Twilio does: sent, then delivered, each signed."""

    account: Account
    texts: Texts
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def report(self, message: Message) -> None:
        """Go through the message's life in the background."""
        task = asyncio.create_task(self._report(message))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def stop(self) -> None:
        """Give up what is under way."""
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _report(self, message: Message) -> None:
        for status in ("sent", "delivered"):
            await asyncio.sleep(0)
            message.status, message.updated_at = status, self.texts.clock.now()
            if message.status_callback:
                await self._post(message)

    async def _post(self, message: Message) -> None:
        form = {
            "AccountSid": self.account.sid, "ApiVersion": "2010-04-01", "From": message.sender, "To": message.to,
            "MessageSid": message.sid, "SmsSid": message.sid, "MessageStatus": message.status,
            "SmsStatus": message.status,
        }  # fmt: skip
        headers = {"X-Twilio-Signature": self.account.sign(message.status_callback, form)}
        try:
            async with httpx.AsyncClient(timeout=10.0) as client:
                await client.post(message.status_callback, data=form, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL):
            return  # Twilio does not repeat a status callback either


def error(status: int, code: int, message: str) -> JSONResponse:
    """An error in Twilio's form."""
    body = {
        "code": code,
        "message": message,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    return JSONResponse(body, status_code=status)


def authorised(request: Request, account: Account) -> bool:
    """Whether a request shows the account's id and token."""
    kind, _, raw = request.headers.get("authorization", "").partition(" ")
    try:
        user, _, password = base64.b64decode(raw, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return False
    same = secrets.compare_digest(user.encode(), account.sid.encode())
    return kind.lower() == "basic" and same and secrets.compare_digest(password.encode(), account.token.encode())


def _refusal(form: dict[str, list[str]], account: Account, texts: Texts) -> JSONResponse | None:
    """Why Twilio would not send this, or nothing."""
    to, sender = form.get("To", [""])[0], form.get("From", [""])[0]
    body = form.get("Body", [""])[0]
    if not to:
        return error(400, 21604, "A 'To' phone number is required.")
    if not sender and not form.get("MessagingServiceSid", [""])[0]:
        return error(400, 21603, "A 'From' phone number is required.")
    if not body and not form.get("MediaUrl"):
        return error(400, 21602, "Message body is required.")
    plain = to.removeprefix("whatsapp:")
    if not E164.fullmatch(plain):
        return error(400, 21211, f"Invalid 'To' Phone Number: {to}")
    if sender and not E164.fullmatch(sender.removeprefix("whatsapp:")):
        return error(400, 21212, f"Invalid From Number (caller ID): {sender}")
    if sender and sender.removeprefix("whatsapp:") != account.number:
        return error(
            400,
            21606,
            f"The 'From' phone number provided ({sender}) is not a valid message-capable Twilio phone number "
            "for this destination.",
        )
    if len(body) > LONGEST:
        return error(400, 21617, "The concatenated message body exceeds the 1600 character limit")
    if plain in texts.stopped:
        return error(400, 21610, "Attempt to send to unsubscribed recipient")
    return None


def router(account: Account, texts: Texts, callbacks: Callbacks) -> APIRouter:
    """Twilio's routes, under /twilio as TWILIO_API_URL has it."""
    routes = APIRouter(prefix="/twilio/2010-04-01/Accounts/{sid}", tags=["twilio"])

    def closed(request: Request, sid: str) -> JSONResponse | None:
        if not authorised(request, account):
            return error(401, 20003, "Authenticate")
        if sid != account.sid:
            return error(404, 20404, "The requested resource was not found")
        return None

    @routes.post("/Messages.json")
    async def send(sid: str, request: Request) -> JSONResponse:
        if refused := closed(request, sid):
            return refused
        form = parse_qs((await request.body()).decode("utf-8", "replace"), keep_blank_values=True)
        if refused := _refusal(form, account, texts):
            return refused
        message = texts.add(
            "outbound-api", form.get("From", [account.number])[0] or account.number, form["To"][0],
            form.get("Body", [""])[0], media=tuple(form.get("MediaUrl", [])),
            status_callback=form.get("StatusCallback", [""])[0], service=form.get("MessagingServiceSid", [None])[0],
        )  # fmt: skip
        made = message.as_twilio(account.sid)
        callbacks.report(message)
        return JSONResponse(made, status_code=201)

    @routes.get("/Messages.json")
    async def listed(sid: str, request: Request, To: str = "", From: str = "", PageSize: int = 50) -> JSONResponse:
        if refused := closed(request, sid):
            return refused
        found = [
            one for one in reversed(texts.messages) if (not To or one.to == To) and (not From or one.sender == From)
        ]
        page = [one.as_twilio(account.sid) for one in found[: max(1, min(PageSize, 1000))]]
        return JSONResponse({"messages": page, "page": 0, "page_size": PageSize, "next_page_uri": None})

    @routes.get("/Messages/{message}.json")
    async def fetch(sid: str, message: str, request: Request) -> JSONResponse:
        if refused := closed(request, sid):
            return refused
        found = texts.get(message)
        if found is None:
            return error(
                404, 20404, f"The requested resource /2010-04-01/Accounts/{sid}/Messages/{message}.json was not found"
            )
        return JSONResponse(found.as_twilio(account.sid))

    return routes
