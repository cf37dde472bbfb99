"""A caller's turn, as the switchboard takes it: the same from a conversation, from the keypad menu, and in tests."""

from __future__ import annotations

from bot.switchboard import Turn
from integrations.base.clock import utc_now
from voice.spoken_digits import as_written


def spoken_turn(
    conversation_id: str,
    turn_id: str,
    *,
    phone: str | None,
    language: str = "en",
    text: str = "",
    digits: str = "",
    command: str = "",
    interrupted: str | None = None,
) -> Turn:
    """What a caller said or keyed.

    Args:
        conversation_id: of the call.
        turn_id: the same for the same words, however often they come.
        phone: that calls, E.164; None when it is withheld.
        language: of the call.
        text: as it was recognised; the numbers of addresses become figures, as everybody else reads them.
        digits: that were keyed, or read back and confirmed.
        command: that a key stands for.
        interrupted: what of our last words the caller had heard; None for all.
    """
    return Turn(
        conversation_id=conversation_id,
        turn_id=turn_id,
        channel="voice",
        text=text if language == "es" else as_written(text),
        received_at=utc_now(),
        digits=digits,
        language=language,
        phone=phone,
        command=command,
        interrupted=interrupted,
    )
