"""Replies as text messages: as few as make sense, with choices as numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bot.switchboard.models import Button, Reply
from integrations.twilio.sms import split, to_plain

SEGMENTS_EACH = 4
"""About 600 characters: what carriers deliver reliably as one message on the screen."""
MOST_TEXTS = 4


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One text message to send.

    Attributes:
        urgent: a safety script; goes out even to those who stopped our texts.
    """

    body: str = field(repr=False)
    media_url: str | None = None
    urgent: bool = False


def compose(replies: Iterable[Reply], language: str = "en") -> list[Outgoing]:
    """The texts of a turn's replies: each safety script by itself, the rest joined and split by length.

    The same replies always make the same texts, so that a turn that is delivered again can be told from a new one.
    """
    urgent: list[Outgoing] = []
    paragraphs: list[str] = []
    buttons: list[Button] = []
    image: str | None = None
    for reply in replies:
        if reply.is_empty:
            continue
        if reply.source == "safety":
            urgent.extend(Outgoing(part, urgent=True) for part in _parts(reply.text))
            continue
        paragraphs.append(reply.text.strip())
        buttons.extend(reply.buttons)
        image = image or reply.image
    if buttons:
        paragraphs.append(numbered(buttons, language))
    parts = _parts("\n".join(paragraph for paragraph in paragraphs if paragraph))
    rest = [Outgoing(part, image if index == 0 else None) for index, part in enumerate(parts)]
    if image and not rest:
        rest = [Outgoing("", image)]
    return urgent + rest


def numbered(buttons: Sequence[Button], language: str = "en") -> str:
    """Choices for a keypad: "Reply 1 for House, 2 for Barn." The numbers are those that the switchboard counts."""
    verb, word, last = ("Responda", "para", "o") if language == "es" else ("Reply", "for", "or")
    options = [f"{index} {word} {button.title}" for index, button in enumerate(buttons, 1)]
    if len(options) > 1:
        options[-1] = f"{last} {options[-1]}"
    return f"{verb} {', '.join(options) if len(options) > 2 else ' '.join(options)}."


def _parts(text: str) -> list[str]:
    return split(to_plain(text), MOST_TEXTS, SEGMENTS_EACH)
