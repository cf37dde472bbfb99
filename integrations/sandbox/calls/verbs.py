"""The verbs of TwiML that the simulated carrier follows (https://www.twilio.com/docs/voice/twiml)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Say:
    """Speak a text. ``loop`` 0 is for ever."""

    text: str
    language: str = ""
    loop: int = 1


@dataclass(frozen=True, slots=True)
class Play:
    """Play a file, or keys (w is half a second)."""

    url: str
    digits: str = ""
    loop: int = 1


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait."""

    seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class Gather:
    """Collect keys while saying something."""

    prompts: tuple[Say | Play | Pause, ...] = ()
    action: str = ""
    method: str = "POST"
    timeout: float = 5.0
    finish_on: str = "#"
    most: int | None = None
    empty_too: bool = False


@dataclass(frozen=True, slots=True)
class Connect:
    """Hold a bidirectional stream until it ends."""

    url: str
    name: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    status_callback: str = ""
    action: str = ""
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Dial:
    """Call somebody and join the two."""

    number: str
    action: str = ""
    method: str = "POST"
    timeout: float = 30.0


@dataclass(frozen=True, slots=True)
class Redirect:
    """Go on with another document."""

    url: str
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Hangup:
    """End the call."""


@dataclass(frozen=True, slots=True)
class Reject:
    """Do not take the call; only as the first verb."""

    reason: str = "rejected"


Verb = Say | Play | Pause | Gather | Connect | Dial | Redirect | Hangup | Reject


@dataclass(frozen=True, slots=True)
class Document:
    """What the application answered.

    Attributes:
        url: where it came from; relative addresses in it start there.
        verbs: in order.
    """

    url: str
    verbs: tuple[Verb, ...]
