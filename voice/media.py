"""Twilio's media stream messages (https://www.twilio.com/docs/voice/media-streams/websocket-messages).

What comes in is checked by pydantic; a message that is nothing we know is one of two things: garbage (`BadMessage`),
or an event that Twilio has added since (None), which is passed over.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from voice import mulaw
from voice.protocols import Pcm

LONGEST_MESSAGE = 64_000
"""Characters; Twilio's own frames have about 300."""
FRAME = 160
"""Samples of 20 ms."""


class BadMessage(ValueError):
    """Not a message of the protocol; the text is a constant that says what is wrong."""


class _Message(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel, populate_by_name=True)


class Connected(_Message):
    """The socket is open; the first message."""

    event: Literal["connected"]
    protocol: str = ""
    version: str = ""


class MediaFormat(_Message):
    """How the audio is encoded."""

    encoding: str
    sample_rate: int
    channels: int

    @property
    def is_ours(self) -> bool:
        """Whether it is the one format that Twilio documents, 8 kHz mono mu-law."""
        return (self.encoding, self.sample_rate, self.channels) == ("audio/x-mulaw", 8_000, 1)


class StartBody(_Message):
    """What a stream is."""

    stream_sid: str = Field(min_length=1, max_length=64)
    call_sid: str = Field(min_length=1, max_length=64)
    media_format: MediaFormat
    custom_parameters: dict[str, str] = Field(default_factory=dict)


class Start(_Message):
    """The stream begins."""

    event: Literal["start"]
    stream_sid: str
    start: StartBody


class MediaBody(_Message):
    """Sound of the caller."""

    payload: str
    track: str = "inbound"

    def samples(self) -> Pcm:
        """Decoded.

        Raises:
            BadMessage: the payload is not base64.
        """
        try:
            return mulaw.decode(base64.b64decode(self.payload, validate=True))
        except (binascii.Error, ValueError):
            raise BadMessage("payload") from None


class MediaIn(_Message):
    """A frame of the caller's sound."""

    event: Literal["media"]
    media: MediaBody


class MarkBody(_Message):
    """A mark's name."""

    name: str = Field(max_length=200)


class MarkIn(_Message):
    """What we sent before this mark was played, or cleared."""

    event: Literal["mark"]
    mark: MarkBody


class DtmfBody(_Message):
    """A key."""

    digit: str = Field(pattern=r"^[0-9*#A-D]$")


class Dtmf(_Message):
    """A key was pressed."""

    event: Literal["dtmf"]
    dtmf: DtmfBody


class Stop(_Message):
    """The stream has ended: the caller hung up, or the call follows another document."""

    event: Literal["stop"]


Incoming = Connected | Start | MediaIn | MarkIn | Dtmf | Stop
_ADAPTER: TypeAdapter[Incoming] = TypeAdapter(Annotated[Incoming, Field(discriminator="event")])


def read(text: str) -> Incoming | None:
    """A message of the carrier; None for an event that we do not know.

    Raises:
        BadMessage: not JSON, too long, or not what its event should be.
    """
    if len(text) > LONGEST_MESSAGE:
        raise BadMessage("too long")
    try:
        return _ADAPTER.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_context=False)[0]["type"]
        if first == "union_tag_invalid":
            return None
        raise BadMessage("json" if first == "json_invalid" else "fields") from None
    except RecursionError:
        raise BadMessage("json") from None


def media(stream_sid: str, audio: Pcm) -> str:
    """A frame of ours."""
    payload = base64.b64encode(mulaw.encode(audio)).decode("ascii")
    # By hand: this is said fifty times a second, and base64 needs no escaping.
    return f'{{"event":"media","streamSid":{json.dumps(stream_sid)},"media":{{"payload":"{payload}"}}}}'


def mark(stream_sid: str, name: str) -> str:
    """Ask to be told when everything before was played."""
    return json.dumps({"event": "mark", "streamSid": stream_sid, "mark": {"name": name}})


def clear(stream_sid: str) -> str:
    """Throw away what was sent and not yet played; marks in it come back at once."""
    return json.dumps({"event": "clear", "streamSid": stream_sid})
