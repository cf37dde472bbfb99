"""Twilio's Messages resource without a network, behind our real client; and forms as Twilio signs them."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import parse_qs, parse_qsl, urlencode

import httpx

from integrations.twilio.signature import signature


@dataclass
class FakeTwilio:
    """Attributes:
    sent: the messages that were taken.
    script: status codes (or "lost": taken, and the answer lost) of the next attempts; then 201.
    opted_out: numbers that said STOP to the carrier.
    """

    sent: list[dict[str, str]] = field(default_factory=list)
    script: list[int | str] = field(default_factory=list)
    opted_out: set[str] = field(default_factory=set)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    @property
    def bodies(self) -> list[str]:
        return [message["body"] for message in self.sent]

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            to = parse_qs(request.url.query.decode()).get("To", [""])[0]
            return httpx.Response(200, json={"messages": [one for one in self.sent if one["to"] == to]})
        form = dict(parse_qsl(request.content.decode(), keep_blank_values=True))
        verdict = self.script.pop(0) if self.script else 201
        if form["To"] in self.opted_out:
            return httpx.Response(400, json={"code": 21610})
        if isinstance(verdict, int) and verdict != 201:
            return httpx.Response(verdict, json={"code": 0})
        sid = f"SM{next(self._numbers):032x}"
        message = {
            "sid": sid,
            "to": form["To"],
            "body": form.get("Body", ""),
            "media": form.get("MediaUrl", ""),
            "direction": "outbound-api",
            "date_created": format_datetime(datetime.now(UTC)),
        }
        self.sent.append(message)
        if verdict == "lost":
            raise httpx.ReadError("lost")
        return httpx.Response(201, content=json.dumps(message))


def form(sid: str, body: str, sender: str = "+12075550101", **more: str) -> dict[str, str]:
    """What Twilio posts for a text, blank fields included."""
    return {
        "ToCountry": "US",
        "ToState": "",
        "SmsMessageSid": sid,
        "NumMedia": "0",
        "FromZip": "",
        "SmsSid": sid,
        "FromState": "ME",
        "SmsStatus": "received",
        "FromCity": "",
        "Body": body,
        "FromCountry": "US",
        "To": "+15555550100",
        "MessageSid": sid,
        "AccountSid": "AC" + "0" * 32,
        "From": sender,
        "ApiVersion": "2010-04-01",
        **more,
    }


def signed(url: str, fields: dict[str, str], token: str) -> tuple[bytes, dict[str, str]]:
    """The body and the headers of a webhook."""
    headers = {
        "X-Twilio-Signature": signature(url, list(fields.items()), token),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return urlencode(fields).encode(), headers
