"""Conversations with the bots that turns are measured on, each by its own way in."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any, Protocol

import httpx
import websockets

from bench.servers import StockRasa
from bot.identity.models import Identity
from bot.identity.store import IdentityStore
from tests.stack import TOKEN, Stack

PHONE = "+12075550101"
"""A demo customer in a confirmed outage."""


class Talk(Protocol):
    """A conversation with one of the bots."""

    async def say(self, text: str) -> str:
        """Send a text; all replies to it, joined."""
        ...

    async def close(self) -> None:
        """Hang up."""
        ...


class OurTalk:
    """Through the gateway, signed in as the demo customer."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket

    @classmethod
    async def begin(cls, stack: Stack, client: httpx.AsyncClient) -> OurTalk:
        """A new conversation."""
        token = (await client.post(f"{stack.url}/sandbox-login", json={"phone": PHONE})).json()["token"]
        session = (await client.post(f"{stack.url}/chat/session", json={"customer": token, "fresh": True})).json()[
            "session"
        ]
        socket = await websockets.connect(f"{stack.ws_url}/chat/ws?session={session}", proxy=None)
        await socket.recv()
        return cls(socket)

    async def say(self, text: str) -> str:
        """Until the reply that is final."""
        await self._socket.send(json.dumps({"type": "user", "text": text, "id": uuid.uuid4().hex}))
        said = []
        while True:
            message = json.loads(await self._socket.recv())
            if message["type"] == "error":
                raise RuntimeError(f"the gateway refused a turn: {message['code']}")
            if message["type"] == "bot":
                said.append(message.get("text") or "")
                if message.get("final"):
                    return " ".join(said)

    async def close(self) -> None:
        """Close the socket."""
        await self._socket.close()


class StockTalk:
    """Stock Rasa's REST channel; the identity is put where the gateway would put it."""

    def __init__(self, url: str, sender: str, client: httpx.AsyncClient) -> None:
        self._url = f"{url}/webhooks/rest/webhook"
        self._sender = sender
        self._client = client

    @classmethod
    async def begin(cls, stock: StockRasa, store: IdentityStore, account: str, client: httpx.AsyncClient) -> StockTalk:
        """A new conversation."""
        sender = uuid.uuid4().hex
        await store.put(Identity(sender, 1, PHONE, (account,), datetime.now(UTC)))
        return cls(stock.url, sender, client)

    async def say(self, text: str) -> str:
        """The whole answer comes at once."""
        answer = await self._client.post(self._url, json={"sender": self._sender, "message": text})
        answer.raise_for_status()
        return " ".join(message.get("text") or "" for message in answer.json())

    async def close(self) -> None:
        """Nothing is held."""


class PrivateTalk:
    """Our Rasa's own channel, for long conversations: the gateway lets no customer write faster than one can type."""

    def __init__(self, stack: Stack, sender: str, client: httpx.AsyncClient) -> None:
        self._url = f"{stack.rasa_urls[0]}/webhooks/gateway/turn"
        self._sender = sender
        self._client = client

    async def say(self, text: str) -> str:
        """All lines but the last are messages."""
        body = {
            "conversation_id": self._sender,
            "turn_id": uuid.uuid4().hex,
            "text": text,
            "metadata": {"channel": "web"},
        }
        answer = await self._client.post(self._url, json=body, headers={"Authorization": f"Bearer {TOKEN}"})
        lines = [json.loads(line) for line in answer.text.splitlines()]
        if lines[-1]["type"] != "done":
            raise RuntimeError(f"our Rasa failed: {lines[-1]}")
        return " ".join(line.get("text") or "" for line in lines[:-1])

    async def close(self) -> None:
        """Nothing is held."""
