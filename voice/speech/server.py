"""The speech process's sockets: who may ask, what for, and what is let go when they leave.

`voice.speech.wire` is the protocol; /healthz and /metrics answer plain HTTP on the same loopback port.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import http
import json
import time
from collections.abc import AsyncGenerator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

import structlog
import websockets
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request as HttpRequest
from websockets.http11 import Response

from voice.engines.whisper import Utterance
from voice.protocols import Pcm, SpeechFull
from voice.speech import wire
from voice.speech.admission import Admission
from voice.speech.cache import SentenceCache
from voice.speech.metrics import Metrics
from voice.speech.recognising import Overloaded, Recognise, Recogniser
from voice.speech.speaking import NoVoice, Sayer, Speaker

log = structlog.get_logger()

MOST_OPEN = 1_000
"""Requests of one connection; a gateway with that many has lost count."""


class Ears(Protocol):
    """What recognises."""

    @property
    def languages(self) -> frozenset[str]:
        """That it can be asked for."""
        ...

    @property
    def recognise(self) -> Recognise:
        """Blocks."""
        ...


class Turn(Protocol):
    """What judges pauses."""

    def finished(self, audio: Pcm) -> float:
        """Blocks."""
        ...


@dataclass(eq=False, slots=True)
class _Peer:
    """A connected gateway and what it asked for."""

    socket: ServerConnection
    tasks: dict[int, asyncio.Task[None]] = field(default_factory=dict)

    async def send(self, answer: wire.Answer, audio: Pcm | None = None) -> None:
        await self.socket.send(wire.pack(answer, audio))


class SpeechServer:
    """Everything of the process but the engines, which tests replace.

    Args:
        ears: recognise.
        voices: speak, by language.
        turn: judges pauses.
        token: what a gateway has to show.
        cache: of sentences.
        most_calls: that are admitted.
        workers: threads for recognition, and as many for speech.
    """

    def __init__(
        self,
        ears: Ears,
        voices: Mapping[str, Sayer],
        turn: Turn,
        token: str,
        cache: SentenceCache,
        most_calls: int = 8,
        workers: int = 2,
    ) -> None:
        self.metrics = Metrics()
        self._ears = ears
        self._voices = voices
        self._turn = turn
        self._token = f"Bearer {token}".encode()
        self._calls = Admission(most_calls)
        self._recogniser = Recogniser(ears.recognise, workers, self.metrics)
        self._speaker = Speaker(voices, cache, workers, self.metrics)
        self._judge = ThreadPoolExecutor(1, thread_name_prefix="turn")
        self._began = time.monotonic()
        self._server: Server | None = None

    # -- its life

    async def start(self, host: str, port: int) -> None:
        """Listen.

        Raises:
            OSError: the port is taken.
        """
        self._recogniser.start()
        self._speaker.start()
        self._server = await serve(
            self._serve,
            host,
            port,
            process_request=self._greet,
            compression=None,
            max_size=wire.LONGEST_MESSAGE,
            ping_interval=10.0,
            ping_timeout=10.0,
            close_timeout=1.0,
        )

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        return int(next(iter(self._server.sockets)).getsockname()[1])

    async def aclose(self) -> None:
        """Close every connection and stop the workers."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        await self._recogniser.aclose()
        await self._speaker.aclose()
        await asyncio.to_thread(self._judge.shutdown)

    # -- connections

    def _greet(self, connection: ServerConnection, request: HttpRequest) -> Response | None:
        if request.path == "/healthz":
            return _plain(json.dumps(self._health()).encode(), "application/json")
        if request.path == "/metrics":
            return _plain(self.metrics.exposition(), "text/plain; version=0.0.4")
        if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), self._token):
            log.warning("a connection without the token was refused")
            return connection.respond(http.HTTPStatus.UNAUTHORIZED, "SPEECH_TOKEN is not right\n")
        return None

    def _health(self) -> dict[str, object]:
        return {
            "status": "ok",
            "seconds": round(time.monotonic() - self._began, 1),
            "calls": len(self._calls),
            "most_calls": self._calls.most,
            "recognitions_waiting": self._recogniser.waiting,
            "sentences_waiting": self._speaker.waiting,
            "sentences_to_prepare": self._speaker.waiting_ahead,
            "languages": {"heard": sorted(self._ears.languages), "spoken": sorted(self._voices)},
        }

    async def _serve(self, socket: ServerConnection) -> None:
        peer = _Peer(socket)
        self.metrics.gateways.inc()
        log.info("a gateway is connected")
        try:
            async for message in socket:
                self._take(peer, message)
        except wire.WireError as error:
            log.warning("a message that is not the protocol closed its connection", why=str(error))
            await socket.close(1008, "not the protocol")
        except websockets.ConnectionClosed:
            pass
        finally:
            tasks = list(peer.tasks.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            gone = self._calls.lost(peer)
            self.metrics.calls.set(len(self._calls))
            self.metrics.gateways.dec()
            log.info("a gateway has left", calls=gone, requests=len(tasks))

    def _take(self, peer: _Peer, message: bytes | str) -> None:
        request, audio = wire.read_request(message)
        if isinstance(request, wire.Cancel):
            task = peer.tasks.get(request.id)
            if task is not None:
                task.cancel()
            return
        if request.id in peer.tasks or len(peer.tasks) >= MOST_OPEN:
            raise wire.WireError("a number is used twice, or too many requests are open")
        task = asyncio.create_task(self._answer(peer, request, audio), name=f"speech-{request.ask}")
        peer.tasks[request.id] = task
        task.add_done_callback(lambda _: peer.tasks.pop(request.id, None))

    async def _answer(self, peer: _Peer, request: wire.Request, audio: Pcm) -> None:
        outcome = "cancelled"
        try:
            await self._do(peer, request, audio)
            outcome = "done"
        except (SpeechFull, Overloaded, NoVoice) as refusal:
            why = {SpeechFull: "full", Overloaded: "overloaded", NoVoice: "bad"}[type(refusal)]
            outcome = why
            with contextlib.suppress(websockets.ConnectionClosed):
                await peer.send(wire.Answer(id=request.id, kind="failed", why=why))
        except websockets.ConnectionClosed:
            outcome = "lost"
        except Exception:  # the engines' errors have no common type; one caller's must not end the process
            outcome = "broken"
            log.exception("a request broke", ask=request.ask)
            with contextlib.suppress(websockets.ConnectionClosed):
                await peer.send(wire.Answer(id=request.id, kind="failed", why="broken"))
        finally:
            self.metrics.requests.labels(request.ask, outcome).inc()

    async def _do(self, peer: _Peer, request: wire.Request, audio: Pcm) -> None:
        number = request.id
        if isinstance(request, wire.Transcribe):
            if request.language not in self._ears.languages:
                raise NoVoice(f"{request.language} is not understood")
            utterance = Utterance(audio, request.expect.to_expectation(), request.language)
            await peer.send(wire.Answer.heard(number, await self._recogniser.transcribe(utterance)))
        elif isinstance(request, wire.Finished):
            loop = asyncio.get_running_loop()
            score = await loop.run_in_executor(self._judge, self._turn.finished, audio)
            await peer.send(wire.Answer(id=number, kind="finished", score=score))
        elif isinstance(request, wire.Speak):
            pieces: AsyncGenerator[Pcm, None] = self._speaker.speak(
                request.text, request.language, request.call, request.fixed, request.ahead
            )
            async with contextlib.aclosing(pieces):
                async for piece in pieces:
                    await peer.send(wire.Answer(id=number, kind="audio"), piece)
            await peer.send(wire.Answer(id=number, kind="end"))
        elif isinstance(request, wire.Admit):
            try:
                self._calls.admit(request.call, peer, request.again)
            except SpeechFull:
                self.metrics.refused_calls.inc()
                raise
            self.metrics.calls.set(len(self._calls))
            await peer.send(wire.Answer(id=number, kind="end"))
        elif isinstance(request, wire.Release):
            self._calls.release(request.call, peer)
            self.metrics.calls.set(len(self._calls))
            await peer.send(wire.Answer(id=number, kind="end"))


def _plain(body: bytes, kind: str) -> Response:
    headers = Headers({"Content-Type": kind, "Content-Length": str(len(body)), "Connection": "close"})
    return Response(200, "OK", headers, body)
