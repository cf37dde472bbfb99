"""Reading TwiML for calls, as far as the product speaks it (https://www.twilio.com/docs/voice/twiml).

What Twilio would only warn of is an error here: a document with a verb or an attribute that nobody knows is a bug.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from urllib.parse import urljoin, urlsplit, urlunsplit

from .verbs import Connect, Dial, Document, Gather, Hangup, Pause, Play, Redirect, Reject, Say, Verb

LONGEST = 64 * 1024
"""Bytes of a document (error 11750)."""
_LONGEST_PARAMETER = 500
"""Characters of a Parameter's name and value together."""
_KEYS = "0123456789*#"


class TwimlError(ValueError):
    """A document that cannot be followed.

    Attributes:
        code: Twilio's: 12100 no XML, 12200 not TwiML, 12300 no XML's content type, 11750 too long.
    """

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


_ATTRIBUTES = {
    "Say": {"voice", "language", "loop"},
    "Play": {"loop", "digits"},
    "Pause": {"length"},
    "Gather": {
        "input", "action", "method", "timeout", "finishOnKey", "numDigits", "actionOnEmptyResult", "language", "hints",
        "speechTimeout", "bargeIn", "profanityFilter", "speechModel", "enhanced",
    },
    "Connect": {"action", "method"},
    "Stream": {"url", "name", "track", "statusCallback", "statusCallbackMethod"},
    "Parameter": {"name", "value"},
    "Dial": {
        "action", "method", "timeout", "callerId", "hangupOnStar", "timeLimit", "record", "answerOnBridge", "ringTone",
        "trim", "recordingStatusCallback", "sequential", "referUrl", "referMethod",
    },
    "Number": {"url", "method", "sendDigits", "statusCallback", "statusCallbackEvent", "statusCallbackMethod"},
    "Redirect": {"method"},
    "Hangup": set(),
    "Reject": {"reason"},
}  # fmt: skip


def parse(text: str, url: str) -> Document:
    """Read a document.

    Args:
        text: as it came.
        url: where from.

    Raises:
        TwimlError: it cannot be followed.
    """
    if len(text.encode()) > LONGEST:
        raise TwimlError(11750, "longer than 64 kB")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise TwimlError(12100, "a document type")
    try:
        root = ET.fromstring(text.strip())
    except ET.ParseError as error:
        raise TwimlError(12100, f"not XML: {error}") from None
    if root.tag != "Response":
        raise TwimlError(12200, "the root is not Response")
    return Document(url, tuple(_verb(element, url) for element in root))


def _verb(element: ET.Element, url: str) -> Verb:
    _check(element)
    match element.tag:
        case "Say" | "Play" | "Pause":
            return _prompt(element, url)
        case "Gather":
            return _gather(element, url)
        case "Connect":
            return _connect(element, url)
        case "Dial":
            return _dial(element, url)
        case "Redirect":
            return Redirect(urljoin(url, _text(element)), _method(element))
        case "Hangup":
            return Hangup()
        case "Reject":
            reason = element.get("reason", "rejected")
            if reason not in ("rejected", "busy"):
                raise TwimlError(12200, "Reject: reason")
            return Reject(reason)
    raise TwimlError(12200, f"no such verb: {element.tag}")


def _check(element: ET.Element) -> None:
    known = _ATTRIBUTES.get(element.tag)
    if known is None:
        raise TwimlError(12200, f"no such verb or noun: {element.tag}")
    for name in element.attrib:
        if name not in known:
            raise TwimlError(12200, f"{element.tag}: no such attribute: {name}")


def _text(element: ET.Element) -> str:
    return " ".join("".join(element.itertext()).split())


def _method(element: ET.Element) -> str:
    method = element.get("method", "POST").upper()
    if method not in ("GET", "POST"):
        raise TwimlError(12200, f"{element.tag}: method")
    return method


def _number(element: ET.Element, name: str, default: float) -> float:
    try:
        value = float(element.get(name, default))
    except ValueError:
        raise TwimlError(12200, f"{element.tag}: {name}") from None
    if value < 0:
        raise TwimlError(12200, f"{element.tag}: {name}")
    return value


def _action(element: ET.Element, url: str) -> str:
    action = element.get("action")
    return urljoin(url, action) if action else ""


def _prompt(element: ET.Element, url: str) -> Say | Play | Pause:
    _check(element)
    if element.tag == "Pause":
        return Pause(_number(element, "length", 1))
    loop = int(_number(element, "loop", 1))
    if element.tag == "Play":
        digits, address = element.get("digits", ""), _text(element)
        if not digits and not address:
            raise TwimlError(12200, "Play: nothing to play")
        return Play(urljoin(url, address) if address else "", digits, loop)
    if element.tag != "Say":
        raise TwimlError(12200, f"not a prompt: {element.tag}")
    if not _text(element):
        raise TwimlError(13520, "Say: no text")
    return Say(_text(element), element.get("language", ""), loop)


def _gather(element: ET.Element, url: str) -> Gather:
    finish, most = element.get("finishOnKey", "#"), element.get("numDigits")
    kinds = set(element.get("input", "dtmf").split())
    if not kinds <= {"dtmf", "speech"}:
        raise TwimlError(12200, "Gather: input")
    if len(finish) > 1 or (finish and finish not in _KEYS):
        raise TwimlError(13314, "Gather: finishOnKey")
    if most is not None and not (most.isascii() and most.isdigit() and int(most) >= 1):
        raise TwimlError(13314, "Gather: numDigits")
    timeout = 5.0 if element.get("timeout") == "auto" else _number(element, "timeout", 5)
    return Gather(
        tuple(_prompt(child, url) for child in element), _action(element, url) or url, _method(element), timeout,
        finish, int(most) if most else None, element.get("actionOnEmptyResult", "false").lower() == "true",
    )  # fmt: skip


def _connect(element: ET.Element, url: str) -> Connect:
    if len(element) != 1 or element[0].tag != "Stream":
        raise TwimlError(12200, "Connect: one Stream is understood here")
    stream = element[0]
    _check(stream)
    address = urlsplit(stream.get("url", ""))
    local = address.hostname in ("127.0.0.1", "localhost")
    if address.scheme != "wss" and not (local and address.scheme == "ws"):
        raise TwimlError(31921, "Stream: the address must be wss")
    if stream.get("track", "inbound_track") != "inbound_track":
        raise TwimlError(12200, "Stream: a bidirectional stream has the inbound track only")
    parameters = []
    for child in stream:
        if child.tag != "Parameter":
            raise TwimlError(12200, f"Stream: no such noun: {child.tag}")
        _check(child)
        name, value = child.get("name", ""), child.get("value", "")
        if not name or len(name) + len(value) > _LONGEST_PARAMETER:
            raise TwimlError(12200, "Parameter: no name, or longer than 500 characters")
        parameters.append((name, value))
    # Twilio drops the query, which is why tokens stand in the path.
    plain = urlunsplit((address.scheme, address.netloc, address.path, "", ""))
    callback = stream.get("statusCallback", "")
    return Connect(
        plain, stream.get("name", ""), tuple(parameters), urljoin(url, callback) if callback else "",
        _action(element, url), _method(element),
    )  # fmt: skip


def _dial(element: ET.Element, url: str) -> Dial:
    for child in element:
        if child.tag != "Number":
            raise TwimlError(12200, f"Dial: {child.tag} is not understood here")
        _check(child)
    number = _text(element)
    if not number:
        raise TwimlError(13224, "Dial: no number")
    return Dial(number, _action(element, url), _method(element), _number(element, "timeout", 30))
