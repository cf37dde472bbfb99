"""Small helps for tasks."""

from __future__ import annotations

import asyncio


def told_to_stop() -> bool:
    """Whether the running task was cancelled.

    A loop that goes on after errors has to ask: a library that turns a cancellation into an error of its own
    (redis-py's time limits do, when both meet) would otherwise keep it alive for ever.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
