"""The speech process's queues, cache and admission, with engines that a test can follow."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from voice.engines.whisper import Utterance
from voice.protocols import SAMPLE_RATE, Expectation, Heard, Pcm, SpeechFull
from voice.speech import wire
from voice.speech.admission import Admission
from voice.speech.cache import SentenceCache
from voice.speech.metrics import Metrics
from voice.speech.recognising import MOST_TOGETHER, MOST_WAITING, QUICK_FROM, Overloaded, Recogniser
from voice.speech.speaking import NoVoice, Speaker

pytestmark = pytest.mark.unit


def utterance(number: int = 0, seconds: float = 1.0) -> Utterance:
    return Utterance(np.full(int(seconds * SAMPLE_RATE), number, np.int16), Expectation(), "en")


class Ears:
    """Hears an utterance's first sample. Waits for `go` in its thread, so that a test decides what waits together."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.quick: list[bool] = []
        self.go = threading.Event()
        self.go.set()
        self.begun = threading.Semaphore(0)

    def __call__(self, utterances: Sequence[Utterance], quick: bool) -> list[Heard]:
        self.batches.append([int(each.audio[0]) for each in utterances])
        self.quick.append(quick)
        self.begun.release()
        assert self.go.wait(20)
        if self.batches[-1] == [666]:
            raise RuntimeError("the engine broke")
        return [Heard(str(int(each.audio[0]))) for each in utterances]

    async def busy(self) -> None:
        await asyncio.to_thread(self.begun.acquire)


class Tone:
    """Says a piece as so many samples as it has letters, and remembers in which order."""

    name = "tone"

    def __init__(self) -> None:
        self.said: list[str] = []
        self.asked = 0
        self.go = threading.Semaphore(0)
        self.free = True

    def say(self, text: str) -> Pcm:
        self.asked += 1
        if not self.free:
            assert self.go.acquire(timeout=20)
        self.said.append(text)
        if "crash" in text:
            raise RuntimeError("the engine broke")
        return np.ones(len(text), np.int16)


@pytest.fixture
async def ears() -> AsyncIterator[tuple[Ears, Recogniser]]:
    engine = Ears()
    recogniser = Recogniser(engine, 1, Metrics())
    recogniser.start()
    yield engine, recogniser
    engine.go.set()
    await recogniser.aclose()


@pytest.fixture
async def mouth(tmp_path: Path) -> AsyncIterator[tuple[Tone, Speaker]]:
    voice = Tone()
    speaker = Speaker({"en": voice}, SentenceCache(tmp_path), 1, Metrics())
    speaker.start()
    yield voice, speaker
    voice.free = True
    voice.go.release(100)
    await speaker.aclose()


async def until(is_so: Callable[[], bool]) -> None:
    """Let the others work until it is so; the test's own time limit ends a wait for ever."""
    for _ in range(20_000):
        if is_so():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it never came to be so")


def on_disk(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


async def all_of(pieces: AsyncGenerator[Pcm, None]) -> int:
    return sum([len(piece) async for piece in pieces])


# -- recognition


async def test_what_waits_together_is_recognised_together_and_answers_do_not_mix(ears: tuple[Ears, Recogniser]) -> None:
    engine, recogniser = ears
    engine.go.clear()
    first = asyncio.create_task(recogniser.transcribe(utterance(1)))
    await engine.busy()
    others = [asyncio.create_task(recogniser.transcribe(utterance(n))) for n in range(2, 7)]
    await asyncio.sleep(0)
    engine.go.set()
    assert [heard.text for heard in await asyncio.gather(first, *others)] == ["1", "2", "3", "4", "5", "6"]
    assert engine.batches == [[1], [2, 3, 4, 5], [6]] and MOST_TOGETHER == 4


async def test_a_long_utterance_keeps_no_short_one_waiting_for_it(ears: tuple[Ears, Recogniser]) -> None:
    engine, recogniser = ears
    engine.go.clear()
    tasks = [asyncio.create_task(recogniser.transcribe(utterance(1)))]
    await engine.busy()
    tasks += [asyncio.create_task(recogniser.transcribe(utterance(n, s))) for n, s in ((2, 20.0), (3, 1.0), (4, 1.0))]
    await asyncio.sleep(0)
    engine.go.set()
    await asyncio.gather(*tasks)
    assert engine.batches == [[1], [2], [3, 4]]


async def test_a_long_queue_is_worked_off_with_the_shorter_window(ears: tuple[Ears, Recogniser]) -> None:
    engine, recogniser = ears
    engine.go.clear()
    tasks = [asyncio.create_task(recogniser.transcribe(utterance(1)))]
    await engine.busy()
    tasks += [asyncio.create_task(recogniser.transcribe(utterance(n))) for n in range(QUICK_FROM + 1)]
    await asyncio.sleep(0)
    engine.go.set()
    await asyncio.gather(*tasks)
    assert engine.quick == [False, True, False]


async def test_a_cancelled_utterance_is_not_recognised(ears: tuple[Ears, Recogniser]) -> None:
    engine, recogniser = ears
    engine.go.clear()
    first = asyncio.create_task(recogniser.transcribe(utterance(1)))
    await engine.busy()
    dropped = asyncio.create_task(recogniser.transcribe(utterance(2)))
    kept = asyncio.create_task(recogniser.transcribe(utterance(3)))
    await asyncio.sleep(0)
    dropped.cancel()
    await asyncio.sleep(0)
    engine.go.set()
    assert (await first).text == "1" and (await kept).text == "3"
    assert engine.batches == [[1], [3]] and dropped.cancelled()


async def test_one_broken_utterance_does_not_stop_the_queue(ears: tuple[Ears, Recogniser]) -> None:
    _, recogniser = ears
    with pytest.raises(RuntimeError, match="the engine broke"):
        await recogniser.transcribe(utterance(666))
    assert (await recogniser.transcribe(utterance(7))).text == "7"


async def test_beyond_a_limit_utterances_are_refused_at_once(ears: tuple[Ears, Recogniser]) -> None:
    engine, recogniser = ears
    engine.go.clear()
    tasks = [asyncio.create_task(recogniser.transcribe(utterance(1)))]
    await engine.busy()
    tasks += [asyncio.create_task(recogniser.transcribe(utterance(2))) for _ in range(MOST_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await recogniser.transcribe(utterance(3))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert recogniser.waiting == 0


# -- speech


async def test_a_long_reply_does_not_keep_another_call_waiting(mouth: tuple[Tone, Speaker]) -> None:
    voice, speaker = mouth
    voice.free = False
    long = asyncio.create_task(all_of(speaker.speak("One. Two. Three. Four.", "en", "CA1")))
    await until(lambda: voice.asked == 1)
    short = asyncio.create_task(all_of(speaker.speak("Yes.", "en", "CA2")))
    await until(lambda: speaker.waiting == 1)
    voice.go.release(10)
    await asyncio.gather(long, short)
    assert voice.said == ["One.", "Yes.", "Two.", "Three.", "Four."]


async def test_closing_the_generator_ends_the_work(mouth: tuple[Tone, Speaker]) -> None:
    voice, speaker = mouth
    voice.free = False
    pieces = speaker.speak("One. Two. Three. Four. Five.", "en", "CA1")
    voice.go.release()
    assert len(await anext(pieces)) == 4
    await pieces.aclose()
    voice.go.release(10)
    assert await all_of(speaker.speak("Next.", "en", "CA2")) == 5
    assert "Four." not in voice.said and speaker.waiting == 0


async def test_what_nobody_waits_for_is_made_last(mouth: tuple[Tone, Speaker]) -> None:
    voice, speaker = mouth
    voice.free = False
    busy = asyncio.create_task(all_of(speaker.speak("Busy. Still.", "en", "CA0")))
    await until(lambda: voice.asked == 1)
    ahead = asyncio.create_task(all_of(speaker.speak("Later.", "en", fixed=True, ahead=True)))
    await until(lambda: speaker.waiting_ahead == 1)
    now = asyncio.create_task(all_of(speaker.speak("Now.", "en", "CA1")))
    await until(lambda: speaker.waiting == 1)
    voice.go.release(10)
    await asyncio.gather(busy, ahead, now)
    assert voice.said[-1] == "Later."


async def test_an_engine_that_breaks_fails_its_sentence_only(mouth: tuple[Tone, Speaker]) -> None:
    _, speaker = mouth
    with pytest.raises(RuntimeError, match="the engine broke"):
        await all_of(speaker.speak("One. This will crash. Three.", "en"))
    assert await all_of(speaker.speak("Fine.", "en")) == 5
    with pytest.raises(NoVoice):
        await all_of(speaker.speak("Hola.", "es"))


# -- what is kept


async def test_a_fixed_sentence_is_made_once_and_outlives_the_process(tmp_path: Path) -> None:
    voice = Tone()
    for _ in range(2):
        speaker = Speaker({"en": voice}, SentenceCache(tmp_path), 1, Metrics())
        speaker.start()
        assert await all_of(speaker.speak("Thanks for calling.", "en", fixed=True)) == 19
        await speaker.aclose()
    assert voice.said == ["Thanks for calling."]
    kept = on_disk(tmp_path)
    assert len(kept) == 1 and "Thanks" not in str(kept)


async def test_a_sentence_that_may_be_personal_is_never_on_disk(tmp_path: Path) -> None:
    voice = Tone()
    speaker = Speaker({"en": voice}, SentenceCache(tmp_path), 1, Metrics())
    speaker.start()
    for _ in range(3):
        await all_of(speaker.speak("You owe ten dollars.", "en"))
    await speaker.aclose()
    assert len(voice.said) == 2, "the third time it comes from memory"
    assert on_disk(tmp_path) == {}


async def test_a_damaged_kept_sentence_is_made_anew(tmp_path: Path) -> None:
    key = SentenceCache.key("tone", "en", "Hello.")
    await SentenceCache(tmp_path).keep(key, np.ones(100, np.int16), fixed=True)
    ((name, data),) = on_disk(tmp_path).items()
    (tmp_path / name).write_bytes(data[:-2] + b"\0\0")
    assert await SentenceCache(tmp_path).find(key, fixed=True) is None


async def test_memory_stays_within_its_room() -> None:
    cache = SentenceCache(None, memory=4_000)
    for number in range(50):
        await cache.keep(str(number), np.ones(200, np.int16), fixed=True)
    assert cache.used <= 4_000
    assert await cache.find("49", fixed=True) is not None and await cache.find("0", fixed=True) is None


# -- calls


def test_calls_are_counted_and_a_lost_gateways_are_let_go() -> None:
    calls = Admission(2)
    ours, theirs = object(), object()
    calls.admit("CA1", ours)
    calls.admit("CA1", ours)
    calls.admit("CA2", theirs)
    with pytest.raises(SpeechFull):
        calls.admit("CA3", ours)
    calls.admit("CA3", ours, again=True)
    calls.release("CA2", ours)
    assert len(calls) == 3
    assert calls.lost(ours) == 2 and len(calls) == 1


# -- the wire


def test_requests_and_answers_survive_the_wire() -> None:
    audio = np.arange(-5, 5, dtype=np.int16)
    expect = Expectation("digits", (10, 12), ("one",))
    request, back = wire.read_request(
        wire.pack(wire.Transcribe(id=3, expect=wire.Expected.of(expect), language="es"), audio)
    )
    assert isinstance(request, wire.Transcribe) and request.expect.to_expectation() == expect
    assert (back == audio).all()
    heard = Heard("four", ("for",), -0.25, 0.125)
    answer, _ = wire.read_answer(wire.pack(wire.Answer.heard(3, heard)))
    assert answer.to_heard() == heard


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\n",
        b"{}\n",
        b"not json\nxx",
        "text",
        b'{"id":1,"ask":"fly"}\n',
        b'{"id":-1,"ask":"cancel"}\n',
        b'{"id":1,"ask":"transcribe"}\nodd',
        b'{"id":1,"ask":"transcribe"}\n' + bytes(2 * wire.LONGEST_AUDIO + 2),
        b'{"id":1,"ask":"speak","text":"' + b"a" * 1_201 + b'"}\n',
    ],
)
def test_what_is_not_the_protocol_is_refused_without_quoting_it(message: bytes | str) -> None:
    with pytest.raises(wire.WireError) as refusal:
        wire.read_request(message)
    assert "aaaa" not in str(refusal.value) and "fly" not in str(refusal.value)


def test_hints_that_are_too_many_are_left_out() -> None:
    expected = wire.Expected.of(Expectation("choice", words=("x" * 100, *("y" for _ in range(100)))))
    assert len(expected.words) == 40 and "x" * 100 not in expected.words
