"""How many calls share the process. A call that would make all of them slow gets the keypad menu instead."""

from __future__ import annotations

from voice.protocols import SpeechFull


class Admission:
    """Counts calls by the connection that brought them.

    Args:
        most: calls at once.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._owners: dict[str, object] = {}

    def __len__(self) -> int:
        return len(self._owners)

    @property
    def most(self) -> int:
        """Calls at once."""
        return self._most

    def admit(self, call: str, owner: object, again: bool = False) -> None:
        """Take a call.

        Args:
            call: its name; one that is in already stays so, and is its new owner's.
            owner: the connection.
            again: it was in before this process was started anew; a conversation under way is not turned away.

        Raises:
            SpeechFull: there are as many as can be served well.
        """
        if call not in self._owners and len(self._owners) >= self._most and not again:
            raise SpeechFull(f"{len(self._owners)} calls are served already")
        self._owners[call] = owner

    def release(self, call: str, owner: object) -> None:
        """Let a call go; another connection's stays."""
        if self._owners.get(call) is owner:
            del self._owners[call]

    def lost(self, owner: object) -> int:
        """Let all calls of a connection go, and say how many there were."""
        gone = [call for call, of in self._owners.items() if of is owner]
        for call in gone:
            del self._owners[call]
        return len(gone)
