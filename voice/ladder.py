"""How often a caller was silent or not understood, and what comes next (`data/voice/ladder.yml`)."""

from __future__ import annotations

from voice.design import Ladders, Rung


class Ladder:
    """One call's place on the ladders.

    Args:
        ladders: the designers' rungs.
    """

    def __init__(self, ladders: Ladders) -> None:
        self._ladders = ladders
        self._silent = 0
        self._missed = 0
        self._failed = 0

    def understood(self) -> None:
        """Something was said or keyed that is an answer: begin again."""
        self._silent = self._missed = 0

    def seconds(self) -> float:
        """Of silence before the next rung."""
        return self._ladders.silence[min(self._silent, len(self._ladders.silence) - 1)].after

    def silent(self) -> Rung:
        """The caller said nothing for that long; what to do."""
        rung = self._ladders.silence[min(self._silent, len(self._ladders.silence) - 1)]
        self._silent += 1
        return rung

    def missed(self) -> Rung:
        """The caller said something that could not be made out; what to do."""
        rung = self._ladders.not_understood[min(self._missed, len(self._ladders.not_understood) - 1)]
        self._missed += 1
        return rung

    def failed(self) -> bool:
        """A turn failed on our side; whether that is often enough for a person."""
        self._failed += 1
        return self._failed >= self._ladders.failures

    def worked(self) -> None:
        """A turn was answered."""
        self._failed = 0
