"""Rasa, by its streaming channel: lines as they are produced, within time limits, and failure as failure."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import structlog

from bot.switchboard.models import Button
from integrations.base.breaker import CircuitBreaker

log = structlog.get_logger()

LONGEST_LINE = 256_000
END_SECONDS = 0.05
"""How long the end of an answer may take after its last line."""


@dataclass(frozen=True, slots=True)
class Said:
    """One reply of the dialogue."""

    text: str
    buttons: tuple[Button, ...] = ()
    image: str | None = None
    response: str = ""
    emergency: str = ""
    """The kind of emergency that the dialogue recognised where the guard had not."""
    again: str = ""
    """The kind of emergency whose script the customer asks to hear once more."""


@dataclass(frozen=True, slots=True)
class Done:
    """The end of a turn that went well."""

    intent: str
    confidence: float
    active_form: str | None
    asking: str = ""
    """The slot that the open form asks for."""


class DialogueFailed(Exception):
    """The dialogue did not finish a turn.

    Attributes:
        code: a constant, for logs and metrics.
        untouched: nothing of the turn was processed, so it can be tried again.
    """

    def __init__(self, code: str, untouched: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.untouched = untouched


class Dialogue:
    """A pool of connections to the Rasa processes.

    Args:
        urls: one a process; a conversation always goes to the same.
        token: what the gateway shows.
        first_line: seconds until the first line at most.
        whole_turn: seconds for everything.
        retry_after: seconds before the one retry of a refused connection.
    """

    def __init__(
        self,
        urls: Sequence[str],
        token: str,
        first_line: float = 8.0,
        whole_turn: float = 20.0,
        retry_after: float = 0.25,
    ) -> None:
        if not urls:
            raise ValueError("RASA_URLS: at least one address of a Rasa process is needed")
        self._urls = list(urls)
        self._headers = {"Authorization": f"Bearer {token}"}
        self._client: aiohttp.ClientSession | None = None
        self._first_line = first_line
        self._whole_turn = whole_turn
        self._retry_after = retry_after
        self._breakers = [CircuitBreaker() for _ in urls]

    def process_of(self, conversation_id: str) -> int:
        """Which process has a conversation: a stable hash, the same in every gateway."""
        digest = hashlib.sha256(conversation_id.encode()).digest()
        return int.from_bytes(digest[:8], "big") % len(self._urls)

    async def ready(self) -> bool:
        """Whether every process has its model loaded."""
        limit = aiohttp.ClientTimeout(total=2.0)
        for url in self._urls:
            try:
                async with self._connections().get(f"{url}/webhooks/gateway/", timeout=limit) as answer:
                    if answer.status != 200:
                        return False
            except (aiohttp.ClientError, OSError):  # a time-out is an OSError
                return False
        return True

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    def _connections(self) -> aiohttp.ClientSession:
        # Made where it is used, because it belongs to the running loop. aiohttp and not httpx, which the other clients
        # use: on this road, taken at every turn, it costs a fifth.
        if self._client is None:
            self._client = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=None, connect=2.0, sock_connect=2.0),
                # Shorter than the server's five seconds: a turn sent as the server hangs up would fail.
                connector=aiohttp.TCPConnector(limit=500, keepalive_timeout=3.5),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._client

    async def turn(
        self, conversation_id: str, turn_id: str, text: str, metadata: Mapping[str, Any]
    ) -> AsyncGenerator[Said | Done, None]:
        """Send a turn; replies come as they are produced, `Done` is the last.

        A refused connection is tried once more, because nothing was processed.

        Raises:
            DialogueFailed: dead, slow, garbled, refused, or failed by its own account.
        """
        index = self.process_of(conversation_id)
        breaker = self._breakers[index]
        if not breaker.allows and not breaker.take_probe():
            raise DialogueFailed("dialogue_down", untouched=True)
        body = {"conversation_id": conversation_id, "turn_id": turn_id, "text": text, "metadata": dict(metadata)}
        deadline = time.monotonic() + self._whole_turn
        for attempt in (1, 2):
            try:
                async with contextlib.aclosing(self._stream(self._urls[index], body, deadline)) as lines:
                    async for line in lines:
                        yield line
            except DialogueFailed as failure:
                if failure.untouched and attempt == 1:
                    await asyncio.sleep(self._retry_after)
                    continue
                if failure.code not in ("action_failed", "dialogue_failed"):
                    breaker.failed()
                raise
            breaker.succeeded()
            return

    async def _stream(self, url: str, body: dict[str, Any], deadline: float) -> AsyncGenerator[Said | Done, None]:
        started = time.monotonic()
        first_by = min(started + self._first_line, deadline)
        client = self._connections()
        try:
            async with asyncio.timeout(max(0.0, first_by - time.monotonic())):
                response = await client.post(f"{url}/webhooks/gateway/turn", json=body, headers=self._headers)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise DialogueFailed("dialogue_refused", untouched=True) from None
        except TimeoutError:
            raise DialogueFailed("dialogue_slow") from None
        except (aiohttp.ClientError, OSError):
            raise DialogueFailed("dialogue_broken") from None
        try:
            if response.status != 200:
                log.error("dialogue.status", status=response.status)
                raise DialogueFailed("dialogue_status")
            lines = _lines(response)
            first = True
            while True:
                by = first_by if first else deadline
                async with asyncio.timeout(max(0.0, by - time.monotonic())):
                    raw = await anext(lines, None)
                if raw is None:
                    raise DialogueFailed("dialogue_cut_off")
                first = False
                line = _parse(raw)
                if isinstance(line, Done):
                    # Read to its end, a connection can carry the next turn.
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(END_SECONDS):
                            await anext(lines, None)
                    yield line
                    return
                yield line
        except TimeoutError:
            raise DialogueFailed("dialogue_slow") from None
        except (aiohttp.ClientError, OSError):
            raise DialogueFailed("dialogue_broken") from None
        finally:
            response.release() if response.content.at_eof() else response.close()


async def _lines(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """Whole lines of a stream; one that never ends is garbage."""
    pending = b""
    async for chunk in response.content.iter_any():
        pending += chunk
        *whole, pending = pending.split(b"\n")
        for line in whole:
            if line.strip():
                yield line
        if len(pending) > LONGEST_LINE:
            raise DialogueFailed("dialogue_garbled")
    if pending.strip():
        yield pending


def _parse(raw: bytes) -> Said | Done:
    """One line of the contract.

    Raises:
        DialogueFailed: it is an error line, or nothing that we know.
    """
    try:
        line = json.loads(raw)
        kind = line["type"]
        if kind == "message":
            buttons = tuple(
                Button(str(item["title"]), str(item["payload"]))
                for item in line.get("buttons") or ()
                if item.get("title")
            )
            custom = line.get("custom")
            return Said(
                str(line.get("text") or ""),
                buttons,
                line.get("image") or None,
                str(line.get("response") or ""),
                str(custom.get("emergency") or "") if isinstance(custom, dict) else "",
                str(custom.get("emergency_again") or "") if isinstance(custom, dict) else "",
            )
        if kind == "done":
            return Done(
                str(line.get("intent") or ""),
                float(line.get("confidence") or 0.0),
                line.get("active_form"),
                str(line.get("requested_slot") or ""),
            )
        if kind == "error":
            raise DialogueFailed(_constant(line.get("error")))
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise DialogueFailed("dialogue_garbled")


def _constant(code: object) -> str:
    """An error code as a metric's label may be: a short word, else a general one."""
    known = ("action_failed", "dialogue_failed", "timeout")
    return code if isinstance(code, str) and code in known else "dialogue_failed"
