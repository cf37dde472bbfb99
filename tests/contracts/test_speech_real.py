"""The real speech process with its real models: it hears what its own voice says, and nothing in what is no speech."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from integrations.base.settings import ROOT
from tests.fakes.gateway import free_port
from voice import mulaw
from voice.engines import silero
from voice.engines.digits import digits_of
from voice.protocols import SAMPLE_RATE, Expectation, Pcm, SpeechFull, SpeechUnavailable
from voice.speech.client import Budgets, SpeechClient
from voice.speech.models import Models

pytestmark = [pytest.mark.contract, pytest.mark.timeout(300)]

TOKEN = "real-speech-token"
PATIENT = Budgets(admit=30, transcribe=60, finished=30, first_audio=60, next_audio=60)
"""Two cores that run other tests too; nothing here is about speed."""
OPEN = Expectation()
RNG = np.random.default_rng(11)


class Process:
    """`python -m voice.speech` on a port of its own."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.port = free_port()
        self.environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            "PYTHONPATH": str(ROOT),
            "SPEECH_PORT": str(self.port),
            "SPEECH_TOKEN": TOKEN,
            "SPEECH_MOST_CALLS": "2",
            "SPEECH_VOICE_ENGINE": "hibari",
            "RUN_DIR": str(folder),
            **settings,
        }
        self.popen: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "voice.speech"],
            cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        until = time.monotonic() + 120
        while time.monotonic() < until:
            if self.popen.poll() is not None:
                pytest.fail(f"the speech process has ended: {self.popen.communicate()[0]}", pytrace=False)
            try:
                if httpx.get(f"http://127.0.0.1:{self.port}/healthz", timeout=2).status_code == 200:
                    return
            except httpx.HTTPError:
                time.sleep(0.1)
        pytest.fail("the speech process does not answer", pytrace=False)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        assert self.popen is not None
        self.popen.send_signal(number)
        self.popen.communicate(timeout=30)
        return self.popen.returncode

    def client(self) -> SpeechClient:
        return SpeechClient(f"ws://127.0.0.1:{self.port}", TOKEN, PATIENT, first_pause=0.05, longest_pause=0.2)


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    made = Process(tmp_path_factory.mktemp("speech"))
    made.start()
    yield made
    made.end()


@pytest.fixture
async def speech(process: Process) -> AsyncIterator[SpeechClient]:
    client = process.client()
    await client.start(wait=20)
    yield client
    await client.aclose()


async def say(speech: SpeechClient, text: str) -> Pcm:
    """Speech as it comes out of the telephone network."""
    audio = np.concatenate([piece async for piece in speech.speak(text, "en")])
    quiet = np.zeros(SAMPLE_RATE // 4, np.int16)
    return mulaw.decode(mulaw.encode(np.concatenate([quiet, audio, quiet])))


def tones(*frequencies: float, seconds: float = 1.5) -> Pcm:
    at = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (sum(np.sin(2 * np.pi * hertz * at) for hertz in frequencies) * 9_000 / len(frequencies)).astype(np.int16)


def keys(pairs: list[tuple[float, float]]) -> Pcm:
    gap = np.zeros(640, np.int16)
    return np.concatenate([part for low, high in pairs for part in (tones(low, high, seconds=0.12), gap)])


def hold_music() -> Pcm:
    chords = [tones(hertz, hertz * 1.26, hertz * 1.5, hertz * 2, seconds=0.5) for hertz in (262, 220, 349, 392, 330)]
    fade = np.exp(-np.arange(SAMPLE_RATE // 2) / 2_400)
    return np.concatenate([(chord * fade).astype(np.int16) for chord in chords])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I smell gas in the basement.", "smell gas in the basement"),
        ("My power has been out since this morning.", "my power has been out since this morning"),
        ("Yes, please.", "yes please"),
    ],
)
async def test_what_our_voice_says_is_heard(speech: SpeechClient, text: str, words: str) -> None:
    heard = await speech.transcribe(await say(speech, text), OPEN, "en")
    plain = "".join(letter for letter in heard.text.lower() if letter.isalpha() or letter == " ")
    assert words in plain and heard.score > -1.0 and heard.no_speech < 0.6


async def test_spoken_digits_are_heard_and_one_of_the_readings_is_right(speech: SpeechClient) -> None:
    audio = await say(speech, "5 5 5, 0 1 4, 2 7 3 8.")
    heard = await speech.transcribe(audio, Expectation("digits", (10,)), "en")
    assert "5550142738" in [digits_of(text) for text in (heard.text, *heard.others)]


async def test_two_calls_at_once_each_get_their_own_words(speech: SpeechClient) -> None:
    texts = ("My bill is too high.", "The street light is broken.", "I want to talk to a person.")
    audio = await asyncio.gather(*(say(speech, text) for text in texts))
    heard = await asyncio.gather(*(speech.transcribe(each, OPEN, "en") for each in audio))
    for result, word in zip(heard, ("bill", "light", "person"), strict=True):
        assert word in result.text.lower()


@pytest.mark.parametrize("expect", [OPEN, Expectation("digits", (10,)), Expectation("yes_no")], ids=lambda e: e.kind)
@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(np.zeros(2 * SAMPLE_RATE, np.int16), id="silence"),
        pytest.param(np.zeros(0, np.int16), id="nothing at all"),
        pytest.param(RNG.normal(0, 3_000, 2 * SAMPLE_RATE).astype(np.int16), id="white noise"),
        pytest.param(RNG.normal(0, 40, 4 * SAMPLE_RATE).astype(np.int16), id="quiet line"),
        pytest.param(hold_music(), id="hold music"),
        pytest.param(keys([(697, 1209), (770, 1336), (852, 1477), (941, 1336)]), id="keys"),
        pytest.param(tones(440, 480), id="ringing"),
    ],
)
async def test_what_is_no_speech_is_never_words(speech: SpeechClient, sound: Pcm, expect: Expectation) -> None:
    assert (await speech.transcribe(sound, expect, "en")).text == ""


async def test_an_unfinished_sentence_is_less_finished_than_a_whole_one(speech: SpeechClient) -> None:
    whole = await say(speech, "I would like to report a power outage at my house.")
    assert 0.0 <= await speech.finished(whole[: len(whole) // 2]) < await speech.finished(whole) <= 1.0


async def test_voice_activity_tells_our_voice_from_silence_and_noise(speech: SpeechClient) -> None:
    session = silero.load(await asyncio.to_thread(Models.here().file, "silero-vad"))
    spoken = await say(speech, "My power has been out since this morning.")
    assert silero.voiced_seconds(session, spoken) > 1.0
    assert silero.voiced_seconds(session, np.zeros(SAMPLE_RATE, np.int16)) == 0.0
    assert silero.voiced_seconds(session, RNG.normal(0, 3_000, SAMPLE_RATE).astype(np.int16)) == 0.0
    activity = silero.SileroActivity(session)
    window = spoken[8_000:8_256]
    first = activity(window)
    activity(window)
    activity.reset()
    assert activity(window) == pytest.approx(first, abs=1e-6)
    with pytest.raises(ValueError, match="100 samples instead of 256"):
        activity(np.zeros(100, np.int16))


async def test_more_calls_than_it_serves_well_are_refused(speech: SpeechClient) -> None:
    await speech.admit("CA1")
    await speech.admit("CA2")
    with pytest.raises(SpeechFull):
        await speech.admit("CA3")
    await speech.release("CA1")
    await speech.admit("CA3")


async def test_a_killed_process_is_known_at_once_and_found_again(tmp_path: Path) -> None:
    process = Process(tmp_path)
    await asyncio.to_thread(process.start)
    speech = process.client()
    await speech.start(wait=20)
    try:
        audio = np.tile(await say(speech, "My power has been out since this morning."), 6)[: 25 * SAMPLE_RATE]
        under_way = [asyncio.create_task(speech.transcribe(audio, OPEN, "en")) for _ in range(3)]
        pieces = speech.speak("One thing. Another thing. And one more thing after all of those.", "en")
        await anext(pieces)
        await asyncio.to_thread(process.end, signal.SIGKILL)
        results = await asyncio.wait_for(asyncio.gather(*under_way, return_exceptions=True), 20)
        assert all(isinstance(result, SpeechUnavailable) for result in results)
        with pytest.raises(SpeechUnavailable):
            while True:
                await anext(pieces)
        with pytest.raises(SpeechUnavailable):
            await speech.admit("CA1")
        await asyncio.to_thread(process.start)
        for _ in range(400):
            if speech.connected:
                break
            await asyncio.sleep(0.05)
        assert len(await say(speech, "Back again.")) > 4_000
    finally:
        await speech.aclose()
        assert await asyncio.to_thread(process.end) == 0, "asked to end, it ends without an error"


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("SPEECH_STT_MODEL", "whisper-huge", "no speech model is called 'whisper-huge'"),
        ("SPEECH_STT_MODEL", "/nowhere/whisper", "SPEECH_STT_MODEL=/nowhere/whisper is no CTranslate2 Whisper folder"),
        ("SPEECH_STT_COMPUTE", "bfloat16", "SPEECH_STT_COMPUTE=bfloat16"),
        ("SPEECH_VOICE", "/nowhere/voice.onnx", "SPEECH_VOICE: /nowhere/voice.onnx is missing"),
        ("SPEECH_VOICE", "en_US-joe-medium", "SPEECH_VOICE=en_US-joe-medium is a voice of piper, not of hibari"),
        ("SPEECH_VOICE_ES", "whisper-base", "SPEECH_VOICE_ES=whisper-base is a voice of whisper, not of piper"),
        ("SPEECH_VOICE_ENGINE", "parrot", "SPEECH_VOICE_ENGINE"),
    ],
)
def test_a_wrong_setting_is_named_at_start_up(tmp_path: Path, setting: str, value: str, words: str) -> None:
    environment = Process(tmp_path, **{setting: value}).environment
    done = subprocess.run(
        [sys.executable, "-m", "voice.speech"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1 and words in done.stderr
    assert "Traceback" not in done.stderr
