"""An event loop whose time jumps to the next timer when there is nothing to do: an hour of waiting takes no time.

Only for what stays within the process: a real socket's answer would be waited for in no time at all.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Stuck(RuntimeError):
    """Everybody waits and nothing will ever happen."""


class _Selector(selectors.DefaultSelector):
    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if found or timeout == 0:
            return found
        if timeout is None:
            raise Stuck("every task waits and no timer is set")
        self.loop.passed += timeout
        return found


class VirtualLoop(asyncio.SelectorEventLoop):
    """Its time starts at 0."""

    def __init__(self) -> None:
        self.passed = 0.0
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.passed


def virtually(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end in virtual time; a task that is left over fails the test."""

    async def watched() -> T:
        result = await work
        await asyncio.sleep(0)
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        assert not left, f"tasks left over: {left}"
        return result

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(watched())
