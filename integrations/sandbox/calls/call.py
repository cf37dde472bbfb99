"""A call as the carrier keeps it: who, in which state, what it does now."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any, Literal, Protocol

from ..clock import Clock
from .messages import StreamRequest
from .stream import Ending
from .timeline import Timeline
from .verbs import Pause, Play, Say

Status = Literal["ringing", "in-progress", "completed", "busy", "failed", "no-answer", "canceled"]
LIVE: tuple[Status, ...] = ("ringing", "in-progress")


def new_sid(prefix: str) -> str:
    """An id as Twilio makes them."""
    return prefix + secrets.token_hex(16)


class Phone(Protocol):
    """The caller's end of a call, as the carrier sees it."""

    async def stream(self, call: Call, request: StreamRequest, headers: dict[str, str]) -> Ending:
        """Speak to a socket until it ends. Cancelled, it says stop and closes it."""

    async def hear(self, call: Call, prompt: Say | Play | Pause) -> None:
        """Listen to something of the carrier's own, for as long as it lasts."""


@dataclass(frozen=True, slots=True)
class Doing:
    """What a call does now, for whoever looks on.

    Attributes:
        verb: ringing, stream, say, play, pause, gather, dial, ended.
        detail: of it, fit for JSON.
    """

    verb: str
    detail: dict[str, Any] = field(default_factory=dict)


class Call:
    """One call.

    Args:
        account_sid: AC...
        sender: who calls: E.164, or what carriers give for a withheld number.
        to: our number.
        phone: the caller's.
        timeline: its events.
        clock: for the times that Twilio's API shows.
        caller_name: as the carrier knows it; usually nothing.
    """

    def __init__(
        self, account_sid: str, sender: str, to: str, phone: Phone, timeline: Timeline, clock: Clock,
        caller_name: str = "",
    ) -> None:  # fmt: skip
        self.sid = new_sid("CA")
        self.account_sid = account_sid
        self.sender, self.to, self.caller_name = sender, to, caller_name
        self.phone = phone
        self.timeline = timeline
        self.status: Status = "ringing"
        self.doing = Doing("ringing")
        self.version = 0
        self.keys: asyncio.Queue[str] = asyncio.Queue()
        self.error = 0
        self.created: datetime = clock.now()
        self.answered: datetime | None = None
        self.ended: datetime | None = None
        self.over = asyncio.Event()
        self._clock = clock
        self._changed = asyncio.Event()

    @property
    def is_live(self) -> bool:
        """Whether it has not ended."""
        return self.status in LIVE

    @property
    def seconds(self) -> int:
        """Of the answered call."""
        if self.answered is None:
            return 0
        return int(((self.ended or self._clock.now()) - self.answered).total_seconds())

    def does(self, verb: str, **detail: Any) -> None:
        """Something else begins."""
        self.doing = Doing(verb, detail)
        self._bump()

    def answer(self) -> None:
        """The application takes the call."""
        if self.status == "ringing":
            self.status, self.answered = "in-progress", self._clock.now()
            self.timeline.add("answered")
            self._bump()

    def finish(self, status: Status) -> None:
        """It has ended."""
        if self.is_live:
            self.status, self.ended = status, self._clock.now()
            self.timeline.add("ended", status=status)
            self.does("ended")
            self.over.set()

    def _bump(self) -> None:
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def after(self, version: int) -> None:
        """Wait until something has changed since a version, or the call is over."""
        while self.version <= version and self.is_live:
            await self._changed.wait()

    def fields(self) -> dict[str, str]:
        """What Twilio posts of it; blank values belong to it and are signed too."""
        place = ("City", "State", "Zip", "Country")
        blank = {f"{side}{part}": "" for side in ("From", "To", "Caller", "Called") for part in place}
        us = {f"{side}Country": "US" for side in ("From", "To", "Caller", "Called")}
        return {
            **blank, **us, "AccountSid": self.account_sid, "ApiVersion": "2010-04-01", "CallSid": self.sid,
            "CallStatus": self.status, "CallerName": self.caller_name, "Called": self.to, "Caller": self.sender,
            "Direction": "inbound", "ForwardedFrom": "", "From": self.sender, "To": self.to,
            "StirVerstat": "TN-Validation-Passed-A",
        }  # fmt: skip

    def as_twilio(self) -> dict[str, Any]:
        """The Call resource."""

        def date(at: datetime | None) -> str | None:
            return format_datetime(at) if at else None

        uri = f"/2010-04-01/Accounts/{self.account_sid}/Calls/{self.sid}"
        below = ("events", "notifications", "payments", "recordings", "siprec", "streams", "transcriptions")
        return {
            "sid": self.sid, "date_created": date(self.created), "date_updated": date(self.ended or self.created),
            "parent_call_sid": None, "account_sid": self.account_sid, "to": self.to, "to_formatted": self.to,
            "from": self.sender, "from_formatted": self.sender, "phone_number_sid": "PN" + "0" * 32,
            "status": self.status, "start_time": date(self.answered or self.created), "end_time": date(self.ended),
            "duration": str(self.seconds) if self.ended else None, "price": None, "price_unit": "USD",
            "direction": "inbound", "answered_by": None, "api_version": "2010-04-01", "forwarded_from": None,
            "group_sid": None, "caller_name": self.caller_name, "queue_time": "0", "trunk_sid": None,
            "uri": f"{uri}.json", "subresource_uris": {name: f"{uri}/{name.title()}.json" for name in below},
        }  # fmt: skip
