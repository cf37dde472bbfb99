"""A call's timers, by name: a second one of a name takes the first one's place, and none outlives the call."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from voice.hearing import Post


class Timers:
    """Wakes the call.

    Args:
        post: hands work to the call, which does one thing after the other.
    """

    def __init__(self, post: Post) -> None:
        self._post = post
        self._handles: dict[str, asyncio.TimerHandle] = {}

    def set(self, name: str, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        """Do this in so many seconds."""
        self.cancel(name)

        def ring() -> None:
            self._handles.pop(name, None)
            self._post(work)

        self._handles[name] = asyncio.get_running_loop().call_later(max(0.0, seconds), ring)

    def is_set(self, name: str) -> bool:
        """Whether it has not rung yet."""
        return name in self._handles

    def cancel(self, *names: str) -> None:
        """Do not; those that are not set are passed over."""
        for name in names:
            handle = self._handles.pop(name, None)
            if handle:
                handle.cancel()

    def cancel_all(self) -> None:
        """None of them."""
        self.cancel(*list(self._handles))
