"""The gateway's client and the speech process's server over a real socket, with engines that a test can follow."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import httpx
import numpy as np
import pytest
import websockets
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from tests.fakes.gateway import free_port
from voice.engines.whisper import Utterance
from voice.protocols import SAMPLE_RATE, Expectation, Heard, Pcm, SpeechFull, SpeechUnavailable
from voice.speech import wire
from voice.speech.cache import SentenceCache
from voice.speech.client import Budgets, SpeechClient
from voice.speech.server import SpeechServer

pytestmark = pytest.mark.contract

TOKEN = "speech-test-token"
OPEN = Expectation()


class Ears:
    """Hears the first sample's number; waits while `go` is not set."""

    languages = frozenset({"en"})

    def __init__(self) -> None:
        self.go = threading.Event()
        self.go.set()
        self.asked = 0

    def recognise(self, utterances: Sequence[Utterance], quick: bool) -> list[Heard]:
        self.asked += len(utterances)
        assert self.go.wait(30)
        if any(int(each.audio[0]) == 13 for each in utterances):
            raise RuntimeError("the engine broke")
        return [Heard(f"{int(each.audio[0])} {each.expect.kind}", ("other",), -0.5, 0.25) for each in utterances]


class Mouth:
    """Says a piece as a hundred samples a letter."""

    name = "mouth"

    def __init__(self) -> None:
        self.said: list[str] = []
        self.go = threading.Semaphore(0)
        self.free = True

    def say(self, text: str) -> Pcm:
        if not self.free:
            assert self.go.acquire(timeout=30)
        self.said.append(text)
        return np.full(len(text) * 100, len(text), np.int16)


class Turn:
    def finished(self, audio: Pcm) -> float:
        return len(audio) / (8 * SAMPLE_RATE)


class House:
    """A speech server on a port of its own that can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.ears = Ears()
        self.mouth = Mouth()
        self.server: SpeechServer | None = None

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self.server = SpeechServer(
            self.ears, {"en": self.mouth}, Turn(), TOKEN, SentenceCache(self.folder), most_calls=2, workers=1
        )
        await self.server.start("127.0.0.1", self.port)

    async def stop(self) -> None:
        self.ears.go.set()
        self.mouth.free = True
        self.mouth.go.release(100)
        if self.server is not None:
            server, self.server = self.server, None
            await server.aclose()

    async def health(self) -> dict[str, object]:
        async with httpx.AsyncClient() as http:
            answer = (await http.get(f"http://127.0.0.1:{self.port}/healthz")).json()
            assert isinstance(answer, dict)
            return answer

    @contextlib.asynccontextmanager
    async def client(self, token: str = TOKEN, budgets: Budgets | None = None) -> AsyncIterator[SpeechClient]:
        client = SpeechClient(self.url, token, budgets, first_pause=0.01, longest_pause=0.05)
        await client.start(wait=10 if token == TOKEN else 0)
        try:
            yield client
        finally:
            await client.aclose()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = House(tmp_path)
    await made.start()
    before = asyncio.all_tasks()
    yield made
    await made.stop()
    mine = asyncio.current_task()
    left = {task.get_name() for task in asyncio.all_tasks() - before if not task.done() and task is not mine}
    assert not left, f"left behind: {left}"


async def until(is_so: Callable[[], bool]) -> None:
    for _ in range(20_000):
        if is_so():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it never came to be so")


def audio(number: int) -> Pcm:
    return np.full(4_000, number, np.int16)


async def test_many_requests_at_once_each_get_their_own_answer(house: House) -> None:
    async with house.client() as speech:
        numbers = list(range(20, 40))
        heard = await asyncio.gather(*(speech.transcribe(audio(n), Expectation("digits"), "en") for n in numbers))
        assert [each.text for each in heard] == [f"{number} digits" for number in numbers]
        assert heard[0] == Heard("20 digits", ("other",), -0.5, 0.25)
        assert await speech.finished(np.zeros(4 * SAMPLE_RATE, np.int16)) == 0.5


async def test_two_calls_speak_at_once_and_each_hears_its_own(house: House) -> None:
    async def say(call: str, text: str) -> list[Pcm]:
        await speech.admit(call)
        return [piece async for piece in speech.speak(text, "en")]

    async with house.client() as speech:
        one, two = await asyncio.gather(say("CA1", "One. And one."), say("CA2", "Three hundred. Four."))
        assert [len(piece) for piece in one] == [400, 800]
        assert [int(piece[0]) for piece in two] == [14, 5]


async def test_without_the_token_nothing_is_answered(house: House) -> None:
    async with house.client(token="guess") as speech:
        with pytest.raises(SpeechUnavailable):
            await speech.transcribe(audio(1), OPEN, "en")
        with pytest.raises(websockets.InvalidStatus) as refusal:
            await connect(house.url, additional_headers={"Authorization": "Bearer guess"})
        assert refusal.value.response.status_code == 401
    assert house.ears.asked == 0


@pytest.mark.parametrize(
    "message",
    ["hello", b"\xff\xfe\n", b"{}", b'{"id":1,"ask":"transcribe"}\nodd', bytes(wire.LONGEST_MESSAGE + 1)],
)
async def test_garbage_closes_its_own_connection_only(house: House, message: bytes | str) -> None:
    async with house.client() as speech:
        async with connect(house.url, additional_headers={"Authorization": f"Bearer {TOKEN}"}) as socket:
            with contextlib.suppress(websockets.ConnectionClosed):
                await socket.send(message)
                await socket.recv()
            assert socket.close_code in (1008, 1009)
        assert (await speech.transcribe(audio(5), OPEN, "en")).text == "5 open"


async def test_a_broken_engine_fails_its_request_and_the_process_goes_on(house: House) -> None:
    async with house.client() as speech:
        with pytest.raises(SpeechUnavailable):
            await speech.transcribe(audio(13), OPEN, "en")
        with pytest.raises(SpeechUnavailable):
            await speech.transcribe(audio(1), OPEN, "es")
        assert (await speech.transcribe(audio(6), OPEN, "en")).text == "6 open"


async def test_closing_a_sentence_stops_the_work_on_it(house: House) -> None:
    house.mouth.free = False
    async with house.client() as speech:
        pieces = speech.speak("One. Two. Three. Four. Five.", "en")
        house.mouth.go.release()
        assert len(await anext(pieces)) == 400
        await pieces.aclose()
        await speech.admit("CA1")  # answered after the cancellation was read
        house.mouth.go.release(10)
        assert [len(piece) async for piece in speech.speak("Next.", "en")] == [500]
        assert "Five." not in house.mouth.said
        assert speech.open_requests == 0


async def test_a_cancelled_recognition_leaves_nothing_waiting(house: House) -> None:
    house.ears.go.clear()
    async with house.client() as speech:
        task = asyncio.create_task(speech.transcribe(audio(1), OPEN, "en"))
        await until(lambda: house.ears.asked == 1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        house.ears.go.set()
        assert (await speech.transcribe(audio(2), OPEN, "en")).text == "2 open"
        assert speech.open_requests == 0


async def test_a_full_process_refuses_calls_and_a_lost_gateways_calls_are_let_go(house: House) -> None:
    async with house.client() as speech:
        async with house.client() as other:
            await other.admit("CA1")
            await speech.admit("CA2")
            with pytest.raises(SpeechFull):
                await speech.admit("CA3")
            await speech.release("CA2")
            await speech.release("CA2")
            await speech.admit("CA3")
            assert (await house.health())["calls"] == 2
        for _ in range(2_000):
            if (await house.health())["calls"] == 1:
                break
        await speech.admit("CA4")


async def test_a_call_that_gave_up_waiting_for_its_place_keeps_none(house: House) -> None:
    async with house.client(budgets=Budgets(admit=0.0)) as speech:
        with pytest.raises(SpeechUnavailable):
            await speech.admit("CA1")
        await speech.finished(audio(1))  # answered after the place was given back
        assert (await house.health())["calls"] == 0


async def test_a_process_that_dies_fails_what_is_under_way_and_is_found_again(house: House) -> None:
    house.ears.go.clear()
    async with house.client() as speech:
        await speech.admit("CA1")
        heard = asyncio.create_task(speech.transcribe(audio(1), OPEN, "en"))
        await until(lambda: house.ears.asked == 1)
        await house.stop()
        with pytest.raises(SpeechUnavailable):
            await heard
        for ask in (speech.admit("CA2"), speech.transcribe(audio(1), OPEN, "en"), speech.finished(audio(1))):
            with pytest.raises(SpeechUnavailable):
                await ask
        with pytest.raises(SpeechUnavailable):
            _ = [piece async for piece in speech.speak("Hello.", "en")]
        await speech.release("CA9")
        await house.start()
        await until(lambda: speech.connected)
        assert (await speech.transcribe(audio(3), OPEN, "en")).text == "3 open"
        assert (await house.health())["calls"] == 1, "the call that goes on was admitted again"


async def test_a_process_that_hangs_is_given_up_in_time() -> None:
    async def hang(socket: ServerConnection) -> None:
        await socket.wait_closed()

    async with serve(hang, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        budgets = Budgets(admit=0.05, transcribe=0.05, finished=0.05, first_audio=0.05)
        speech = SpeechClient(f"ws://127.0.0.1:{port}", TOKEN, budgets)
        await speech.start(wait=10)
        began = time.monotonic()
        for ask in (speech.admit("CA1"), speech.transcribe(audio(1), OPEN, "en"), speech.finished(audio(1))):
            with pytest.raises(SpeechUnavailable):
                await ask
        with pytest.raises(SpeechUnavailable):
            _ = [piece async for piece in speech.speak("Hello.", "en")]
        assert time.monotonic() - began < 10
        await speech.aclose()


async def test_an_answer_that_is_not_the_protocol_is_no_answer() -> None:
    async def babble(socket: ServerConnection) -> None:
        async for _ in socket:
            await socket.send(b"\x00\x01")

    async with serve(babble, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        speech = SpeechClient(f"ws://127.0.0.1:{port}", TOKEN)
        await speech.start(wait=10)
        with pytest.raises(SpeechUnavailable):
            await speech.transcribe(audio(1), OPEN, "en")
        await speech.aclose()


async def test_fixed_sentences_are_spoken_even_when_the_process_is_dead(house: House) -> None:
    async with house.client() as speech:
        speech.prepare(["Please hold.", "Goodbye."], "en")
        await until(lambda: speech.is_prepared("Goodbye.", "en") and speech.is_prepared("Please hold.", "en"))
        await house.stop()
        await until(lambda: not speech.connected)
        assert sum([len(piece) async for piece in speech.speak("Goodbye.", "en")]) == 800
        await house.start()
        speech.prepare(["Welcome."], "en")
        await until(lambda: speech.is_prepared("Welcome.", "en"))


async def test_a_port_that_is_taken_is_an_error_and_not_a_second_listener(house: House) -> None:
    second = SpeechServer(house.ears, {}, Turn(), TOKEN, SentenceCache(None))
    try:
        with pytest.raises(OSError, match="address already in use"):
            await second.start("127.0.0.1", house.port)
    finally:
        await second.aclose()


async def test_health_and_figures_are_served_on_the_same_port(house: House) -> None:
    async with house.client() as speech:
        await speech.transcribe(audio(1), OPEN, "en")
        assert (await house.health())["status"] == "ok"
        async with httpx.AsyncClient() as http:
            text = (await http.get(f"http://127.0.0.1:{house.port}/metrics")).text
    assert 'speech_requests_total{ask="transcribe",outcome="done"} 1.0' in text
    assert "process_cpu_seconds_total" in text
