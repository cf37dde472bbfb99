"""What the simulated Twilio keeps: messages in both directions, and numbers that do not want any."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from .clock import Clock

E164 = re.compile(r"\+[1-9]\d{6,14}")
_GSM = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_TWO = set("^{}\\[~]|€\f")


def segments(body: str) -> int:
    """SMS segments by 3GPP TS 23.038: 160 or 153 septets, 70 or 67 UTF-16 units."""
    if not body:
        return 1
    if all(char in _GSM or char in _GSM_TWO for char in body):
        size, one, many = sum(2 if char in _GSM_TWO else 1 for char in body), 160, 153
    else:
        size, one, many = len(body.encode("utf-16-le")) // 2, 70, 67
    return 1 if size <= one else -(-size // many)


@dataclass(slots=True)
class Message:
    """One text, in either direction."""

    sid: str
    direction: str
    sender: str
    to: str
    body: str
    created_at: datetime
    updated_at: datetime
    status: str
    media: tuple[str, ...] = ()
    status_callback: str = ""
    service: str | None = None

    @property
    def outbound(self) -> bool:
        """Whether the utility wrote it."""
        return self.direction.startswith("outbound")

    def as_twilio(self, account: str) -> dict[str, Any]:
        """The Message resource as Twilio's REST API gives it."""
        uri = f"/2010-04-01/Accounts/{account}/Messages/{self.sid}"
        sent = self.status in ("sent", "delivered", "received")
        return {
            "account_sid": account,
            "api_version": "2010-04-01",
            "body": self.body,
            "date_created": _rfc2822(self.created_at),
            "date_sent": _rfc2822(self.updated_at) if sent else None,
            "date_updated": _rfc2822(self.updated_at),
            "direction": self.direction,
            "error_code": None,
            "error_message": None,
            "from": self.sender or None,
            "messaging_service_sid": self.service,
            "num_media": str(len(self.media)),
            "num_segments": str(segments(self.body)),
            "price": None,
            "price_unit": "USD",
            "sid": self.sid,
            "status": self.status,
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "to": self.to,
            "uri": f"{uri}.json",
        }

    def as_line(self) -> dict[str, Any]:
        """The message as a phone shows it."""
        return {
            "sid": self.sid,
            "direction": "outbound" if self.outbound else "inbound",
            "from": self.sender,
            "to": self.to,
            "body": self.body,
            "media": list(self.media),
            "status": self.status,
            "at": self.created_at.isoformat(),
        }


def _rfc2822(moment: datetime) -> str:
    return format_datetime(moment.replace(microsecond=0)).replace("GMT", "+0000")


def new_sid(prefix: str) -> str:
    """A SID of Twilio's form: two letters and 32 hexadecimal digits."""
    return prefix + secrets.token_hex(16)


@dataclass(slots=True)
class Texts:
    """All messages, oldest first."""

    clock: Clock
    messages: list[Message] = field(default_factory=list)
    stopped: set[str] = field(default_factory=set)
    """Numbers that the carrier has blocked for us: sending there is error 21610."""

    def add(self, direction: str, sender: str, to: str, body: str, **more: Any) -> Message:
        """Keep a message."""
        now = self.clock.now()
        sid = more.pop("sid", "") or new_sid("MM" if more.get("media") else "SM")
        status = more.pop("status", "queued")
        message = Message(sid, direction, sender, to, body, now, now, status, **more)
        self.messages.append(message)
        return message

    def thread(self, phone: str) -> list[Message]:
        """The texts from and to a number."""
        return [one for one in self.messages if phone in (one.sender, one.to)]

    def get(self, sid: str) -> Message | None:
        """One message."""
        return next((one for one in reversed(self.messages) if one.sid == sid), None)

    def clear(self) -> None:
        """Forget all messages and all stops."""
        self.messages.clear()
        self.stopped.clear()
