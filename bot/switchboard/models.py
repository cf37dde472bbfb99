"""A turn, a reply, and the door between channels and the conversation."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

Channel = Literal["web", "sms", "whatsapp", "voice", "terminal"]
Source = Literal["bot", "safety", "system", "agent"]


@dataclass(frozen=True, slots=True)
class Media:
    """A picture or recording that came with a message; only its address is kept."""

    url: str
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing that a customer said, typed or pressed.

    Attributes:
        conversation_id: ours; a conversation is a session on one channel.
        turn_id: the carrier's own id (MessageSid, CallSid and sequence) or the client's; a second one is dropped.
        text: as it came, untrusted.
        received_at: aware.
        digits: pressed keys.
        language: "en" or "es".
        phone: E.164, as asserted by the carrier or by a signed token; nothing typed sets it.
        choice: the opaque id of an offered button that was pressed.
        command: a trusted command that a channel's keyword stands for ("/outage_status"); never a customer's text.
        place: a place in the conversation's line that was taken when the turn was accepted.
        interrupted: what of our last words a caller had heard when they began to speak over them; None when they
            heard all of it. Only for voice.
    """

    conversation_id: str
    turn_id: str
    channel: Channel
    text: str = field(repr=False)
    received_at: datetime
    digits: str = field(default="", repr=False)
    language: str = "en"
    phone: str | None = field(default=None, repr=False)
    media: tuple[Media, ...] = ()
    choice: str = ""
    command: str = ""
    place: int | None = None
    interrupted: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Button:
    """An offered choice.

    Attributes:
        title: what the customer sees.
        payload: the command that it stands for; never leaves the gateway.
        id: opaque, made by the switchboard; what a web client sends back.
    """

    title: str
    payload: str = field(repr=False)
    id: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """One message to the customer.

    Attributes:
        final: the last of its turn. When the last words had to leave before that was known, an empty reply follows.
        source: who speaks.
        response: the name of the designers' response ("utter_greet"), or ours ("system_failed", "safety_gas_leak").
        asking: the slot that the dialogue's open question will fill ("outage_premise"); only on the final reply. Voice
            knows by it whether digits, a yes or no, or a sentence comes next.
    """

    text: str = field(repr=False)
    buttons: tuple[Button, ...] = ()
    image: str | None = None
    final: bool = False
    source: Source = "bot"
    response: str = ""
    asking: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show: the end of a turn and no more."""
        return not (self.text or self.buttons or self.image)


class TurnInProgress(RuntimeError):
    """Somebody else is working on this very turn; if they die, it may be taken up again after their lease."""


class Door(Protocol):
    """What a channel knows of the conversation."""

    def handle(self, turn: Turn) -> AsyncGenerator[Reply, None]:
        """Answer a turn; nothing comes for a turn that was answered before."""
        ...

    async def recall(self, turn: Turn) -> tuple[Reply, ...]:
        """The replies of a turn that was answered before, for a channel that may not have delivered them."""
        ...

    async def title_of(self, turn: Turn) -> str:
        """The title of the button that a turn's choice means; "" when it is not open any more."""
        ...

    async def give_up(self, turn: Turn) -> None:
        """A queued turn will not come: its place is free."""
        ...
