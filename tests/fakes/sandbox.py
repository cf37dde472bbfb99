"""The simulated utility on a free port of loopback, in the test's own event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import uvicorn

from integrations.sandbox.app import create_app
from integrations.sandbox.utility import Utility


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.asynccontextmanager
async def serve(app: Any, port: int = 0) -> AsyncIterator[str]:
    """Run an ASGI application until the block ends; gives its address."""
    port = port or free_port()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="critical", access_log=False))
    task = asyncio.create_task(server.serve())
    while not server.started:
        if task.done():
            await task
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        server.force_exit = True
        await task


@contextlib.asynccontextmanager
async def sandbox(size: int = 4000, seed: int = 7, **more: Any) -> AsyncIterator[tuple[str, Utility]]:
    """A simulated utility and its address.

    Args:
        size: service points.
        seed: of the territory.
        **more: for Utility (clock, user, password) and create_app (account, webhook, cis_token, ticking).
    """
    own = {key: more.pop(key) for key in ("clock", "user", "password") if key in more}
    utility = Utility(seed, size, **own)
    async with serve(create_app(utility, **more)) as url:
        yield url, utility
