"""How a test's customer is heard and answered: the real web chat, a phone that texts, a phone that calls."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx
import websockets

from bot.app import Parts, build
from bot.switchboard import Reply
from integrations.base.settings import Settings
from tests.conversations.script import ScriptError
from tests.conversations.utility import SimulatedUtility
from tests.stack import Stack
from voice.turn import spoken_turn

ANSWER_SECONDS = 40.0
"""How long an answer may take before it counts as none."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One message that the customer got.

    Attributes:
        names: of the designers' responses that it was made of.
    """

    text: str
    buttons: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(slots=True)
class Answer:
    """Everything that came back for a turn, and what the gateway noted about it."""

    heard: list[Heard] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    buttons: list[str] = field(default_factory=list)


class Line(Protocol):
    """A customer's connection."""

    conversation: str

    async def begin(self) -> None:
        """Start a fresh conversation."""

    async def say(self, text: str, picture: str = "") -> Answer:
        """Write something and wait for the whole answer."""

    async def press(self, title: str) -> Answer:
        """Choose one of the last buttons."""

    async def end(self) -> None:
        """Leave."""


def said_in_turn(redis: Any, conversation: str, turn: str) -> list[Heard]:
    """The replies of a turn as the gateway noted them."""
    found = []
    for _, entry in redis.xrange(f"conv:{conversation}"):
        if entry["dir"] == "out" and entry["turn"] == turn:
            titles = tuple(json.loads(entry["buttons"])) if entry["buttons"] else ()
            found.append(Heard(entry["text"], titles, tuple(entry["response"].split())))
    return found


class WebLine:
    """The web chat, signed in with a phone or as a visitor."""

    def __init__(self, stack: Stack, client: httpx.AsyncClient, phone: str | None) -> None:
        self._stack, self._client, self._phone = stack, client, phone
        self._socket: Any = None
        self._offered: dict[str, str] = {}
        self._redis = stack.redis()
        self.conversation = ""

    async def begin(self) -> None:
        """Sign in, if the customer has a phone, and open the socket."""
        await self._close()
        token = ""
        if self._phone:
            answer = await self._client.post(f"{self._stack.url}/sandbox-login", json={"phone": self._phone})
            answer.raise_for_status()
            token = answer.json()["token"]
        answer = await self._client.post(f"{self._stack.url}/chat/session", json={"customer": token, "fresh": True})
        answer.raise_for_status()
        session = answer.json()["session"]
        self._client.cookies.clear()
        self._socket = await websockets.connect(f"{self._stack.ws_url}/chat/ws?session={session}", max_size=None)
        hello = json.loads(await self._socket.recv())
        self.conversation = hello["conversation"]
        self._offered = {}

    async def say(self, text: str, picture: str = "") -> Answer:
        """Send a text."""
        if picture:
            raise ScriptError("pictures come by sms")
        turn = uuid.uuid4().hex
        return await self._turn({"type": "user", "text": text, "id": turn}, turn)

    async def press(self, title: str) -> Answer:
        """Send the button's opaque id."""
        if title not in self._offered:
            raise ScriptError(f"there is no button {title!r}; there are {list(self._offered) or 'none'}")
        turn = uuid.uuid4().hex
        return await self._turn({"type": "choice", "id": self._offered[title], "message": turn}, turn)

    async def end(self) -> None:
        """Close the socket."""
        await self._close()
        self._redis.close()

    async def _close(self) -> None:
        if self._socket is not None:
            await self._socket.close()
            self._socket = None

    async def _turn(self, message: dict[str, Any], turn: str) -> Answer:
        await self._socket.send(json.dumps(message))
        messages: list[dict[str, Any]] = []
        async with asyncio.timeout(ANSWER_SECONDS):
            while not (messages and messages[-1]["final"]):
                came = json.loads(await self._socket.recv())
                if came["type"] == "error" and came["code"] == "slow_down":
                    # Nobody types as fast as a test; the customer does what the sentence asks for.
                    await asyncio.sleep(1.3)
                    await self._socket.send(json.dumps(message))
                elif came["type"] == "error":
                    messages.append({"text": came["text"], "buttons": [], "final": True, "response": came["code"]})
                elif came["type"] in ("bot", "agent") and came.get("turn") == turn:
                    messages.append(came)
        noted = said_in_turn(self._redis, self.conversation, turn)
        answer = Answer()
        self._offered = {}
        for one in messages:
            if not (one["text"] or one["buttons"]):
                continue
            titles = tuple(button["title"] for button in one["buttons"])
            names = tuple(str(one.get("response") or "").split())
            if not names:
                names = next((each.names for each in noted if each.text == one["text"]), ())
            answer.heard.append(Heard(one["text"], titles, names))
            answer.names.extend(names)
            answer.buttons.extend(titles)
            self._offered |= {button["title"]: button["id"] for button in one["buttons"]}
        return answer


class SmsLine:
    """A phone that texts."""

    def __init__(self, stack: Stack, utility: SimulatedUtility, phone: str) -> None:
        self._utility, self._phone = utility, phone
        self._redis = stack.redis()
        self._offered: list[str] = []
        self.conversation = ""

    async def begin(self) -> None:
        """An hour has passed since the last text."""
        for key in self._redis.scan_iter("sms:session:*"):
            self._redis.delete(key)
        for key in self._redis.scan_iter("*sms-*"):
            self._redis.delete(key)
        self._offered = []

    async def say(self, text: str, picture: str = "") -> Answer:
        """Send a text, or a picture with one, and wait until its answer has been handed to Twilio."""
        before = len(await self._utility.texts(self._phone))
        sid, status = await self._utility.send_text(self._phone, text, [picture] if picture else [])
        if status != 200:
            raise AssertionError(f"our SMS webhook answered {status}")
        deadline = time.monotonic() + ANSWER_SECONDS
        while self._redis.xlen("turns:text"):
            if time.monotonic() > deadline:
                raise TimeoutError
            await asyncio.sleep(0.01)
        for key in self._redis.scan_iter("conv:sms-*"):
            if any(entry["turn"] == sid for _, entry in self._redis.xrange(key)):
                self.conversation = str(key).removeprefix("conv:")
        noted = said_in_turn(self._redis, self.conversation, sid)
        answer = Answer()
        for one in (await self._utility.texts(self._phone))[before:]:
            names = tuple(name for each in noted if each.text and each.text[:20] in one["body"] for name in each.names)
            answer.heard.append(Heard(one["body"], (), names))
        for each in noted:
            answer.names.extend(each.names)
            answer.buttons.extend(each.buttons)
        self._offered = list(answer.buttons)
        return answer

    async def press(self, title: str) -> Answer:
        """Send the number that the text gave the choice."""
        if title not in self._offered:
            raise ScriptError(f"there is no choice {title!r}; there are {self._offered or 'none'}")
        return await self.say(str(self._offered.index(title) + 1))

    async def end(self) -> None:
        """Put the phone down."""
        self._redis.close()


class VoiceLine:
    """A phone that calls, without its sound: turns by the switchboard's own door, as a call hands them in.

    No address of the gateway takes such turns. The test's process has a switchboard of its own on the same Redis, Rasa,
    database and utility; what a call says and hears as sound is tested with the calls.
    """

    def __init__(self, stack: Stack, phone: str | None) -> None:
        self._stack, self._phone = stack, phone
        self._parts: Parts | None = None
        self._offered: list[str] = []
        self._interrupted: str | None = None
        self._turns = 0
        self.conversation = ""

    async def begin(self) -> None:
        """Call."""
        await self.end()
        # Where the sandbox stands in for systems, as get_settings() does for a process's own environment.
        base, environment = self._stack.sandbox_url, self._stack.environment
        systems = {
            "OMS_WSDL_URL": f"{base}/multispeak/oms?wsdl", "OMS_USER": "porchlight", "CIS_URL": f"{base}/cis",
        }  # fmt: skip
        values = {name.lower(): value for name, value in (systems | environment).items()}
        known = {name: value for name, value in values.items() if name in Settings.model_fields}
        self._parts = build(Settings(**known))
        self.conversation = f"call-{uuid.uuid4().hex}"
        self._offered, self._interrupted, self._turns = [], None, 0

    async def say(self, text: str, picture: str = "") -> Answer:
        """Say something."""
        if picture:
            raise ScriptError("pictures come by sms")
        return await self._turn(text=text)

    async def press(self, title: str) -> Answer:
        """Press the key of a choice."""
        if title not in self._offered:
            raise ScriptError(f"there is no choice {title!r}; there are {self._offered or 'none'}")
        return await self._turn(digits=str(self._offered.index(title) + 1))

    async def key(self, digits: str) -> Answer:
        """Press keys. A lone zero or star is a command, as in data/voice/keys.yml."""
        command = {"0": "/speak_to_human", "*": "/cancel"}.get(digits, "")
        return await self._turn(command=command) if command else await self._turn(digits=digits)

    def heard_of_it(self, words: str) -> None:
        """The next words are said over ours, of which so much was heard."""
        self._interrupted = words

    async def end(self) -> None:
        """Hang up."""
        parts, self._parts = self._parts, None
        if parts is not None:
            await parts.aclose()

    async def _turn(self, *, text: str = "", digits: str = "", command: str = "") -> Answer:
        assert self._parts is not None
        self._turns += 1
        turn = spoken_turn(
            self.conversation,
            f"{self.conversation}.{self._turns}",
            phone=self._phone,
            text=text,
            digits=digits,
            command=command,
            interrupted=self._interrupted,
        )
        self._interrupted = None
        replies: list[Reply] = []
        async with asyncio.timeout(ANSWER_SECONDS):
            replies.extend([reply async for reply in self._parts.switchboard.handle(turn)])
        answer = Answer()
        for reply in replies:
            titles, names = tuple(button.title for button in reply.buttons), tuple(reply.response.split())
            if reply.text or titles:
                answer.heard.append(Heard(reply.text, titles, names))
                answer.names.extend(names)
                answer.buttons.extend(titles)
        self._offered = list(answer.buttons)
        return answer
