"""What Twilio does with the application's sound: it is kept, played at real pace, and marked."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from .mulaw import SILENCE
from .sound import FRAME


@dataclass(frozen=True, slots=True)
class Played:
    """One frame of 20 ms.

    Attributes:
        payload: mu-law; silence where nothing was left.
        sound: bytes of it that the application had sent.
        marks: that were reached by it.
    """

    payload: bytes
    sound: int
    marks: tuple[str, ...]


class Playout:
    """The buffer of one stream."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._played = 0
        self._marks: deque[tuple[int, str]] = deque()

    @property
    def seconds(self) -> float:
        """Sound that waits to be played."""
        return len(self._waiting) / 8_000

    def put(self, payload: bytes) -> None:
        """Sound from the application, of any length."""
        self._waiting += payload

    def mark(self, name: str) -> tuple[str, ...]:
        """A mark from the application.

        Returns:
            The mark itself when nothing waits before it, so that it goes back at once.
        """
        if not self._waiting and not self._marks:
            return (name,)
        self._marks.append((self._played + len(self._waiting), name))
        return ()

    def clear(self) -> tuple[str, ...]:
        """Forget what waits.

        Returns:
            The marks that waited with it; all go back at once.
        """
        self._waiting.clear()
        names = tuple(name for _, name in self._marks)
        self._marks.clear()
        return names

    def pull(self) -> Played:
        """Play the next 20 ms."""
        payload = bytes(self._waiting[:FRAME])
        del self._waiting[:FRAME]
        self._played += len(payload)
        reached = []
        while self._marks and self._marks[0][0] <= self._played:
            reached.append(self._marks.popleft()[1])
        return Played(payload + SILENCE * (FRAME - len(payload)), len(payload), tuple(reached))
