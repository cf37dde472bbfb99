"""The speech process's wire: one WebSocket a gateway process, many requests on it at once.

The socket opens with ``Authorization: Bearer <SPEECH_TOKEN>``. Every message is binary: a JSON header, a newline, and
then audio (little-endian 16-bit samples at 8 kHz) or nothing. A request has a number of the client's choosing, and its
answers carry that number.

| ask | with | answers |
| --- | --- | --- |
| transcribe | expect, language, audio | heard |
| finished | audio | finished |
| speak | text, language, call, fixed, ahead | audio, audio, ..., end |
| admit, release | call | end, or failed "full" |
| cancel | the number of the request that nobody waits for any more | nothing |

A request that cannot be served is answered with ``failed`` and why: "bad" (a language that it does not know), "full",
"overloaded", "broken". A message that does not follow this page closes the socket. Every call that a socket admitted is
released with it.
"""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from voice.protocols import SAMPLE_RATE, Expectation, Heard, Kind, Pcm

LONGEST_AUDIO = 30 * SAMPLE_RATE
"""Samples of one utterance; what Whisper's window holds."""
LONGEST_TEXT = 1_200
"""Characters of one sentence to speak."""
LONGEST_MESSAGE = 2 * LONGEST_AUDIO + 65_536
"""Bytes."""


class WireError(ValueError):
    """A message that does not follow this page."""


class _Header(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    id: int = Field(ge=0)


class Expected(BaseModel):
    """An Expectation on the wire."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind = "open"
    lengths: tuple[int, ...] = Field((), max_length=16)
    words: tuple[Annotated[str, Field(max_length=80)], ...] = Field((), max_length=40)

    @classmethod
    def of(cls, expect: Expectation) -> Expected:
        """From ours; hints that are too many or too long are left out, because they are only hints."""
        words = tuple(word for word in expect.words if len(word) <= 80)[:40]
        return cls(kind=expect.kind, lengths=expect.lengths[:16], words=words)

    def to_expectation(self) -> Expectation:
        """To ours."""
        return Expectation(self.kind, self.lengths, self.words)


class Transcribe(_Header):
    """Recognise the audio that follows."""

    ask: Literal["transcribe"] = "transcribe"
    expect: Expected = Expected()
    language: str = Field("en", pattern="^[a-z]{2}$")


class Finished(_Header):
    """Judge the pause after the audio that follows."""

    ask: Literal["finished"] = "finished"


class Speak(_Header):
    """Say a sentence.

    Attributes:
        text: speakable.
        language: of the text.
        call: whose it is; calls take turns.
        fixed: it is the same for every caller, holds nothing personal, and may be kept on disk.
        ahead: nobody waits for it yet, so everything else goes first.
    """

    ask: Literal["speak"] = "speak"
    text: str = Field(min_length=1, max_length=LONGEST_TEXT, repr=False)
    language: str = Field("en", pattern="^[a-z]{2}$")
    call: str = Field("", max_length=80)
    fixed: bool = False
    ahead: bool = False


class Admit(_Header):
    """Take a call.

    Attributes:
        call: its name.
        again: it was admitted before this process was started anew; it is not turned away now.
    """

    ask: Literal["admit"] = "admit"
    call: str = Field(min_length=1, max_length=80)
    again: bool = False


class Release(_Header):
    """Give a call's share back."""

    ask: Literal["release"] = "release"
    call: str = Field(min_length=1, max_length=80)


class Cancel(_Header):
    """Nobody waits for that request any more."""

    ask: Literal["cancel"] = "cancel"


Request = Annotated[
    Transcribe | Finished | Speak | Admit | Release | Cancel,
    Field(discriminator="ask"),
]


class Answer(_Header):
    """What comes back.

    Attributes:
        kind: what it is.
        text: of "heard".
        others: of "heard".
        score: of "heard"; of "finished" the probability.
        no_speech: of "heard".
        why: of "failed".
    """

    kind: Literal["heard", "finished", "audio", "end", "failed"]
    text: str = Field("", repr=False)
    others: tuple[str, ...] = Field((), repr=False)
    score: float = 0.0
    no_speech: float = 0.0
    why: Literal["", "bad", "full", "overloaded", "broken"] = ""

    @classmethod
    def heard(cls, number: int, heard: Heard) -> Answer:
        """A recognition."""
        return cls(
            id=number,
            kind="heard",
            text=heard.text,
            others=heard.others,
            score=heard.score,
            no_speech=heard.no_speech,
        )

    def to_heard(self) -> Heard:
        """A recognition."""
        return Heard(self.text, self.others, self.score, self.no_speech)


_requests: TypeAdapter[Request] = TypeAdapter(Request)


def pack(header: _Header, audio: Pcm | None = None) -> bytes:
    """A message."""
    head = header.model_dump_json(exclude_defaults=False).encode() + b"\n"
    return head if audio is None else head + np.ascontiguousarray(audio, dtype="<i2").tobytes()


def _split(message: bytes | str) -> tuple[bytes, bytes]:
    if isinstance(message, str):
        raise WireError("text message")
    head, newline, rest = message.partition(b"\n")
    if not newline:
        raise WireError("no header")
    return head, rest


def _audio(rest: bytes) -> Pcm:
    if len(rest) % 2 or len(rest) > 2 * LONGEST_AUDIO:
        raise WireError("audio is odd or too long")
    return np.frombuffer(rest, dtype="<i2").astype(np.int16, copy=False)


def read_request(message: bytes | str) -> tuple[Request, Pcm]:
    """A request and its audio.

    Raises:
        WireError: it is none.
    """
    head, rest = _split(message)
    try:
        return _requests.validate_json(head), _audio(rest)
    except ValidationError as error:
        # pydantic's own text quotes what it was given
        raise WireError(f"{error.error_count()} fields are wrong") from None


def read_answer(message: bytes | str) -> tuple[Answer, Pcm]:
    """An answer and its audio.

    Raises:
        WireError: it is none.
    """
    head, rest = _split(message)
    try:
        return Answer.model_validate_json(head), _audio(rest)
    except ValidationError as error:
        raise WireError(f"{error.error_count()} fields are wrong") from None
