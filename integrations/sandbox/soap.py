"""SOAP 1.1 envelopes: reading one without trusting it, and writing one."""

from __future__ import annotations

import uuid
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.sax.saxutils import escape, quoteattr

from .clock import iso
from .wsdl import NAMESPACE

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"


class BadEnvelope(ValueError):
    """The request is not a SOAP envelope that we can read. Its text is safe to send back."""


@dataclass(frozen=True, slots=True)
class Request:
    """One call: the operation's name, its element, and the header's attributes."""

    operation: str
    body: ET.Element
    header: dict[str, str]


def tag(element: ET.Element) -> str:
    """The local name; vendors do not agree on prefixes or versions of the namespace."""
    return element.tag.rpartition("}")[2]


def child(element: ET.Element | None, *names: str) -> ET.Element | None:
    """Down a path of local names, or nothing."""
    for name in names:
        if element is None:
            return None
        element = next((one for one in element if tag(one) == name), None)
    return element


def text(element: ET.Element | None, *names: str) -> str:
    """The stripped text at a path, or an empty string."""
    found = child(element, *names)
    return (found.text or "").strip() if found is not None else ""


def parse(raw: bytes, limit: int = 2_000_000) -> Request:
    """Read an envelope.

    Raises:
        BadEnvelope: too large, not XML, with a document type (entity attacks), or not SOAP.
    """
    if len(raw) > limit:
        raise BadEnvelope("the request is too large")
    if b"<!DOCTYPE" in raw[:4096].upper():
        raise BadEnvelope("a document type is not allowed")
    try:
        root = ET.fromstring(raw)
    except ET.ParseError:
        raise BadEnvelope("the request is not well-formed XML") from None
    if tag(root) != "Envelope":
        raise BadEnvelope("the request is not a SOAP envelope")
    body = child(root, "Body")
    call = next(iter(body), None) if body is not None else None
    if call is None:
        raise BadEnvelope("the envelope has no body")
    header = child(root, "Header", "MultiSpeakMsgHeader")
    attributes = {name.rpartition("}")[2]: value for name, value in header.attrib.items()} if header is not None else {}
    return Request(tag(call), call, attributes)


def node(name: str, *content: str, **attributes: str | None) -> str:
    """An element of ready-made content; attributes that are ``None`` are left out."""
    extra = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items() if value is not None)
    inner = "".join(content)
    return f"<{name}{extra}>{inner}</{name}>" if inner else f"<{name}{extra}/>"


def leaf(name: str, value: object) -> str:
    """An element with a simple value, in XML Schema's spelling; ``None`` gives nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return f"<{name}>{'true' if value else 'false'}</{name}>"
    if isinstance(value, datetime):
        value = iso(value)
    return f"<{name}>{escape(str(value))}</{name}>"


def envelope(
    body: str, remaining: int = 0, last_sent: str = "", user: str | None = None, password: str | None = None
) -> str:
    """A whole envelope with a MultiSpeak header.

    Args:
        body: the content of the SOAP body, in the MultiSpeak namespace.
        remaining: ObjectsRemaining, for results that come in blocks.
        last_sent: LastSent, the id to ask on from.
        user: UserID, when we are the caller.
        password: Pwd, when we are the caller.
    """
    header = node(
        "MultiSpeakMsgHeader", xmlns=NAMESPACE, Version="3.0AC", UserID=user, Pwd=password, AppName="Juniper Bay OMS",
        AppVersion="1.0", Company="Juniper Bay Energy", MessageID=str(uuid.uuid4()), TimeStamp=iso(datetime.now(UTC)),
        ObjectsRemaining=str(remaining), LastSent=last_sent,
    )  # fmt: skip
    return (
        f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{ENVELOPE}">'
        f"<soap:Header>{header}</soap:Header><soap:Body>{body}</soap:Body></soap:Envelope>"
    )


def fault(code: str, message: str) -> str:
    """An envelope with a SOAP fault; ``code`` is Client or Server."""
    body = f"<soap:Fault><faultcode>soap:{code}</faultcode><faultstring>{escape(message)}</faultstring></soap:Fault>"
    return (
        f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{ENVELOPE}">'
        f"<soap:Body>{body}</soap:Body></soap:Envelope>"
    )


def respond(operation: str, result: str, **header: object) -> str:
    """The envelope of an operation's answer."""
    remaining, last = int(str(header.get("remaining", 0))), str(header.get("last_sent", ""))
    return envelope(node(f"{operation}Response", result, xmlns=NAMESPACE), remaining=remaining, last_sent=last)


def error_array(result: str, errors: list[tuple[str, str, str]]) -> str:
    """An ArrayOfErrorObject: (objectID, errorString, nounType) each; empty means that all is well."""
    now = iso(datetime.now(UTC))
    items = [
        node("errorObject", objectID=one, errorString=why, nounType=noun, eventTime=now) for one, why, noun in errors
    ]
    return node(result, *items)
