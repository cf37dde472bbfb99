"""A phone outside of the carrier's process: it places a call over HTTP and carries the streams itself.

What the page's phone does in a browser, for terminals and benchmarks. The carrier in the sandbox asks the webhook and
follows the documents; the sound goes straight from here to the application's media socket.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx

from .hooks import Number
from .messages import StreamRequest
from .mouth import Mouth, Utterance
from .mulaw import Samples
from .stream import Connector, MediaStream, by_network
from .timeline import Pace, Recording, Timeline, real_pace


class CarrierAway(RuntimeError):
    """The simulated carrier does not answer, or does not know the call."""


class Handset:
    """One call.

    Args:
        base: where /sandbox/calls is: the sandbox's address, or the gateway's.
        number: how public addresses are reached from here.
        http: shared.
        pace: how time passes.
        connect: opens media sockets.
    """

    def __init__(
        self,
        base: str,
        number: Number,
        http: httpx.AsyncClient,
        pace: Pace | None = None,
        connect: Connector = by_network,
    ) -> None:
        self.mouth = Mouth()
        self.recording = Recording()
        self.media: MediaStream | None = None
        """The stream that is open now, or was last."""
        self.streams: list[MediaStream] = []
        self.sid = ""
        self.state: dict[str, Any] = {}
        self.pace = pace or real_pace()
        self.timeline = Timeline(self.pace)
        self.changed = asyncio.Event()
        self._base = f"{base.rstrip('/')}/sandbox/calls"
        self._number = number
        self._http = http
        self._connect = connect
        self._carrying: asyncio.Task[None] | None = None

    @property
    def is_live(self) -> bool:
        """Whether the call has not ended."""
        return self.state.get("status") in ("ringing", "in-progress")

    @property
    def verb(self) -> str:
        """What the call does now."""
        return str(self.state.get("doing", {}).get("verb", ""))

    @contextlib.asynccontextmanager
    async def call(self, sender: str, **dialled: Any) -> AsyncIterator[Handset]:
        """Be in a call until the block ends; then it is hung up.

        Args:
            sender: the number to call from.
            **dialled: what becomes of numbers that the application dials (status, ring_seconds, talk_seconds).

        Raises:
            CarrierAway: the call could not be placed.
        """
        self.timeline = Timeline(self.pace)
        self.timeline.add("placed")
        body: dict[str, Any] = {"from": sender}
        if dialled:
            body["dialled"] = dialled
        self._take(await self._ask("POST", "", json=body))
        self.sid = str(self.state["sid"])
        watcher = asyncio.create_task(self._watch())
        try:
            yield self
        finally:
            watcher.cancel()
            await asyncio.gather(watcher, return_exceptions=True)
            await self._stop_carrying()
            if self.is_live:
                self.timeline.add("hang_up", by="caller")
                with contextlib.suppress(CarrierAway):
                    self._take(await self._ask("POST", f"/{self.sid}/hang-up"))

    # -- what a caller does

    def say(self, samples: Samples, label: str = "") -> Utterance:
        """Begin to say something; `Utterance.done` tells when it is over."""
        return self.mouth.say(samples, label)

    async def press(self, keys: str) -> None:
        """Press keys: into the stream while one is open, else to the carrier."""
        if self.media is not None and self.media.is_open:
            self.media.press(keys)
        else:
            self.timeline.add("keys", count=len(keys))
            self._take(await self._ask("POST", f"/{self.sid}/keys", json={"keys": keys}))

    async def until(self, verb: str, seconds: float = 20.0) -> bool:
        """Wait until the call does something: stream (the socket is open), dial, say, gather, ended."""
        deadline = self.pace.now() + seconds
        while self.pace.now() < deadline:
            opened = self.media is not None and self.media.is_open
            if self.verb == verb and (verb != "stream" or opened):
                return True
            if not self.is_live:
                return False
            await self.pace.sleep(0.01)
        return False

    async def until_quiet(self, after: float, quiet: float = 0.8, most: float = 20.0) -> bool:
        """Wait until the application has been heard and has then been silent.

        Args:
            after: only sound since then counts (`Timeline.now`).
            quiet: seconds of silence that end it.
            most: seconds to wait.

        Returns:
            Whether it was so; False when the time was up or the stream has ended.
        """
        deadline = self.timeline.now() + most
        while self.media is not None and self.media.is_open and self.timeline.now() < deadline:
            last, now = self.media.last_played, self.timeline.now()
            if last > after and not self.media.playout.seconds and now - last >= quiet:
                return True
            await self.pace.sleep(0.02)
        return False

    def first_sound(self, after: float) -> float | None:
        """When the application's first sound after a moment came, in seconds since the call was placed."""
        return next((at for one in self.streams for at, size in one.arrivals if size and at > after), None)

    # -- inside

    async def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        try:
            answer = await self._http.request(method, f"{self._base}{path}", timeout=20.0, **more)
            answer.raise_for_status()
            state: dict[str, Any] = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise CarrierAway(type(error).__name__) from error
        return state

    async def _watch(self) -> None:
        while self.is_live:
            self._take(await self._ask("GET", f"/{self.sid}", params={"after": self.state["version"]}))
            doing = self.state["doing"]
            wanted = doing["stream_sid"] if doing["verb"] == "stream" else ""
            if self.media is not None and self.media.is_open and self.media.request.stream_sid != wanted:
                await self._stop_carrying()
            if wanted and (self.media is None or self.media.request.stream_sid != wanted):
                self._open(doing)
        await self._stop_carrying()

    def _take(self, state: dict[str, Any]) -> None:
        if self.state.get("doing") != state["doing"]:
            shown = {name: value for name, value in state["doing"].items() if name in ("text", "number", "answered")}
            self.timeline.add(state["doing"]["verb"], **shown)
        self.state = state
        self.changed.set()

    def _open(self, doing: dict[str, Any]) -> None:
        request = StreamRequest(
            self._number.reach(doing["url"]), doing["stream_sid"], self.sid, doing["account_sid"], doing["parameters"]
        )
        self.media = MediaStream(request, self.mouth, self.timeline, self.recording, self.pace, self._connect)
        self.streams.append(self.media)
        self._carrying = asyncio.create_task(self._carry(self.media))

    async def _carry(self, media: MediaStream) -> None:
        ending = await media.run({"User-Agent": "TwilioMediaStreams/1.0"})
        body = {"stream_sid": media.request.stream_sid, "ending": ending}
        with contextlib.suppress(CarrierAway):
            self._take(await self._ask("POST", f"/{self.sid}/stream-ended", json=body))

    async def _stop_carrying(self) -> None:
        if self._carrying is not None:
            self._carrying.cancel()
            await asyncio.gather(self._carrying, return_exceptions=True)
            self._carrying = None
