"""zeep over httpx with limits that hold: time in all, size of the answer, and a kept copy of the WSDL."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import httpx
import structlog
from zeep.transports import AsyncTransport

from integrations.oms import wire

log = structlog.get_logger()


class TooLarge(Exception):
    """The answer is larger than any that makes sense."""


class LimitedTransport(AsyncTransport):  # type: ignore[misc]  # zeep publishes no types
    """zeep's transport, reading answers in pieces up to a limit.

    httpx's own limits are per read, so a server that sends one byte a second would hold a turn for ever; the time in
    all is the caller's `asyncio.timeout`.

    Args:
        client: for calls.
        wsdl_client: for the WSDL; used off the event loop.
        kept: a folder for the last good copy of each WSDL file, so that a restart during a storm works although the
            OMS does not answer.
    """

    def __init__(self, client: httpx.AsyncClient, wsdl_client: httpx.Client, kept: Path | None) -> None:
        super().__init__(client=client, wsdl_client=wsdl_client)
        self._kept = kept

    def _load_remote_data(self, url: str) -> bytes:
        copy = self._kept / f"{hashlib.sha256(url.encode()).hexdigest()[:24]}.wsdl" if self._kept else None
        try:
            data = bytes(super()._load_remote_data(url))
        except Exception as error:
            # The WSDL may be refused in as many ways as there are servers; any of them means: use the copy.
            if copy is None or not copy.exists():
                raise
            log.warning("WSDL not available, using the kept copy", error=type(error).__name__)
            return copy.read_bytes()
        if copy is not None and b"definitions" in data[:4096] + data[-4096:]:
            copy.parent.mkdir(parents=True, exist_ok=True)
            fresh = copy.with_suffix(".new")
            fresh.write_bytes(data)
            fresh.replace(copy)
        return data

    async def post(self, address: str, message: Any, headers: dict[str, str]) -> httpx.Response:
        """Send a message and read at most `wire.MAX_BYTES` of the answer.

        Raises:
            TooLarge: there is more.
            httpx.HTTPError: no answer.
        """
        async with self.client.stream("POST", address, content=message, headers=headers) as response:
            pieces, size = [], 0
            async for piece in response.aiter_bytes():
                size += len(piece)
                if size > wire.MAX_BYTES:
                    raise TooLarge
                pieces.append(piece)
            return httpx.Response(response.status_code, content=b"".join(pieces), request=response.request)

    async def post_xml(self, address: str, envelope: Any, headers: dict[str, str]) -> httpx.Response:
        """Send an envelope; the answer stays as bytes for `integrations.oms.wire`."""
        from zeep.wsdl.utils import etree_to_string

        return await self.post(address, etree_to_string(envelope), headers)


def make_transport(connect_seconds: float, total_seconds: float, kept: Path | None) -> LimitedTransport:
    """A transport with its own connections.

    Args:
        connect_seconds: to open a connection.
        total_seconds: for any single wait; calls have their own limit besides.
        kept: see `LimitedTransport`.
    """
    limits = httpx.Timeout(total_seconds, connect=connect_seconds)
    return LimitedTransport(
        httpx.AsyncClient(timeout=limits, limits=httpx.Limits(max_connections=64, max_keepalive_connections=16)),
        httpx.Client(timeout=httpx.Timeout(10.0, connect=connect_seconds), follow_redirects=True),
        kept,
    )


async def close(transport: LimitedTransport) -> None:
    """Close both of its clients."""
    await transport.aclose()
    await asyncio.to_thread(transport.wsdl_client.close)
