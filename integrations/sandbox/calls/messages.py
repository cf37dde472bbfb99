"""Media Streams messages from Twilio's side (https://www.twilio.com/docs/voice/media-streams/websocket-messages)."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field


class BadMessage(ValueError):
    """The application sent what Twilio would refuse (error 31951)."""


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """A stream that a document asks for.

    Attributes:
        url: of the application's socket, without a query (Twilio drops it).
        stream_sid: MZ...
        call_sid: CA...
        account_sid: AC...
        parameters: of the Parameter nouns.
        name: of the Stream noun.
        status_callback: where stream-started and the like are reported; empty: nowhere.
    """

    url: str
    stream_sid: str
    call_sid: str
    account_sid: str
    parameters: dict[str, str] = field(default_factory=dict)
    name: str = ""
    status_callback: str = ""


@dataclass(frozen=True, slots=True)
class Sound:
    """Mu-law to be played."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class MarkAsked:
    """A mark to be sent back when all before it has been played."""

    name: str


@dataclass(frozen=True, slots=True)
class Clear:
    """Throw away what has not been played."""


def connected() -> str:
    """The first message."""
    return json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"})


class Writer:
    """Numbers one stream's messages as Twilio does."""

    def __init__(self, request: StreamRequest) -> None:
        self._request = request
        self._sequence = 0
        self._chunk = 0

    def _message(self, event: str, body: dict[str, object]) -> str:
        self._sequence += 1
        sid = self._request.stream_sid
        return json.dumps({"event": event, "sequenceNumber": str(self._sequence), event: body, "streamSid": sid})

    def start(self) -> str:
        """The second message."""
        request = self._request
        return self._message(
            "start",
            {
                "accountSid": request.account_sid, "streamSid": request.stream_sid, "callSid": request.call_sid,
                "tracks": ["inbound"],
                "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
                "customParameters": request.parameters,
            },
        )  # fmt: skip

    def media(self, payload: bytes, milliseconds: int) -> str:
        """20 ms of the caller's sound; ``milliseconds`` since the stream's start."""
        self._chunk += 1
        sound = base64.b64encode(payload).decode("ascii")
        return self._message(
            "media",
            {"track": "inbound", "chunk": str(self._chunk), "timestamp": str(milliseconds), "payload": sound},
        )

    def dtmf(self, key: str) -> str:
        """A key was pressed."""
        return self._message("dtmf", {"track": "inbound_track", "digit": key})

    def mark(self, name: str) -> str:
        """A mark comes back."""
        return self._message("mark", {"name": name})

    def stop(self) -> str:
        """The last message."""
        return self._message("stop", {"accountSid": self._request.account_sid, "callSid": self._request.call_sid})


def read(raw: str | bytes, stream_sid: str) -> Sound | MarkAsked | Clear:
    """A message of the application.

    Raises:
        BadMessage: not one of the three that there are, or for another stream.
    """
    try:
        message = json.loads(raw)
        event, sid = message["event"], message["streamSid"]
        if sid != stream_sid:
            raise BadMessage("streamSid is not this stream's")
        if event == "media":
            return Sound(base64.b64decode(message["media"]["payload"], validate=True))
        if event == "mark":
            return MarkAsked(str(message["mark"]["name"]))
        if event == "clear":
            return Clear()
    except (ValueError, TypeError, KeyError, binascii.Error) as error:
        raise error if isinstance(error, BadMessage) else BadMessage(f"malformed ({type(error).__name__})") from error
    raise BadMessage("no such event")
