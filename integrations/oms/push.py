"""MultiSpeak pushes: what the OMS posts to us when something changes.

OutageEventChangedNotification and CustomersAffectedByOutageNotification, versions 3.0 and 4.1. The bytes come from
outside the house; see `integrations.oms.wire` for what is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape, quoteattr
from zoneinfo import ZoneInfo

from integrations.base.clock import utc_now
from integrations.oms import wire
from integrations.oms.meanings import UTILITY_ZONE
from integrations.oms.models import Event

_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"


class PushRejected(ValueError):
    """A push that cannot be read; the text is constant and may be answered and logged."""


@dataclass(frozen=True, slots=True)
class Push:
    """A push that was read.

    Attributes:
        method: its MultiSpeak name.
        namespace: the version it spoke.
        events: what it says, in its order.
    """

    method: str
    namespace: str
    events: tuple[Event, ...]

    def answer(self) -> bytes:
        """The SOAP answer that says that all was taken: an empty array of errors."""
        name = self.method
        return (
            f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{_ENVELOPE}"><soap:Body>'
            f"<{name}Response xmlns={quoteattr(self.namespace)}><{name}Result/></{name}Response>"
            "</soap:Body></soap:Envelope>"
        ).encode()


def read_push(
    raw_xml: bytes, now: datetime | None = None, zone: ZoneInfo = UTILITY_ZONE, limit: int = wire.MAX_BYTES
) -> Push:
    """Read a push. Large ones take a while: call it in a thread.

    Args:
        raw_xml: the request's body.
        now: the present; the clock's when not given.
        zone: for times without an offset.
        limit: bytes.

    Raises:
        PushRejected: it is hostile, too large, malformed, or no notification that we know.
    """
    moment = now or utc_now()
    try:
        envelope = wire.parse(raw_xml, limit)
    except wire.WireError as error:
        raise PushRejected(str(error)) from None
    read, item_name = {
        "OutageEventChangedNotification": (wire.read_outage, "outageEvent"),
        "CustomersAffectedByOutageNotification": (wire.read_affected, "customersAffectedByOutage"),
    }.get(envelope.name, (None, ""))
    if read is None:
        raise PushRejected("unknown notification")
    events = (read(item, moment, envelope.sent_at, zone) for item in wire.descendants(envelope.body, item_name))
    return Push(envelope.name, envelope.namespace, tuple(event for event in events if event is not None))


def parse_push(raw_xml: bytes) -> list[Event]:
    """The events of a push.

    Raises:
        PushRejected: as `read_push`.
    """
    return list(read_push(raw_xml).events)


def fault(message: str, client: bool = True) -> bytes:
    """A SOAP fault, to answer a push that was refused."""
    code = "Client" if client else "Server"
    return (
        f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{_ENVELOPE}"><soap:Body><soap:Fault>'
        f"<faultcode>soap:{code}</faultcode><faultstring>{escape(message)}</faultstring>"
        "</soap:Fault></soap:Body></soap:Envelope>"
    ).encode()
