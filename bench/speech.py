"""Speech on the telephone: what is heard, what is invented, what it costs. ``.venv/bin/python -m bench.speech``.

Everything is 8 kHz, mu-law coded. Ours (voice/engines, as the speech process uses them) and faster-whisper as its
documentation shows it, both with the same model, one thread, in this one run and in turn. What is not installed or not
there is left out and said: the recordings in ../shared, and Debian's asterisk-core-sounds-en-wav,
asterisk-core-sounds-en (transcripts) and asterisk-moh-opsound-wav. Options: ``--quick`` (a tenth), ``--json``,
``--write``.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as the speech process does, before anything that computes is imported

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bench import speech_sets as sets
from bench.report import Bar, Topic, percentiles, run, table
from bench.speech_noises import not_speech
from voice.engines import audio as sound
from voice.engines import silero
from voice.engines.digits import digits_of
from voice.engines.hibari import HibariEngine
from voice.engines.piper import PiperEngine
from voice.engines.whisper import Utterance, Whisper
from voice.protocols import SAMPLE_RATE, Expectation, Heard
from voice.speech.engines import Ears, Synthesiser, Voice
from voice.speech.models import Models
from voice.speech.pieces import pieces_of

COMMAND = ".venv/bin/python -m bench.speech"
SEED = 20_241
MODEL = "whisper-base"
TOGETHER = 4
BESIDE = 3
"""Every third clip is also heard as documented, with the shorter window and in batches; that is what takes long."""
SHORT = "Your power is out on Lantern Lane."
LONG = (
    "We know about an outage near you, and a crew is on its way. The utility expects to have your power back by six "
    "thirty this evening. Would you like a text message when that changes, or when the power is back?"
)


@dataclass
class Score:
    """Of one way of hearing on one set."""

    clips: int = 0
    wrong: int = 0
    words: int = 0
    exact: int = 0
    among: int = 0
    empty: int = 0
    cpu_ms: list[float] = field(default_factory=list)

    def add(self, clip: sets.Clip, heard: Heard, cpu_ms: float) -> None:
        """Count one answer."""
        self.clips += 1
        self.empty += not heard.text
        self.cpu_ms.append(cpu_ms)
        if clip.expect.kind == "digits":
            readings = [digits_of(text) for text in (heard.text, *heard.others)]
            self.exact += readings[0] == clip.said
            self.among += clip.said in readings
        else:
            wrong, words = sets.word_errors(clip.said, heard.text)
            self.wrong += wrong
            self.words += words

    def plus(self, other: Score | None) -> Score:
        """Of both."""
        if other is None:
            return self
        return Score(
            self.clips + other.clips, self.wrong + other.wrong, self.words + other.words, self.exact + other.exact,
            self.among + other.among, self.empty + other.empty, [*self.cpu_ms, *other.cpu_ms],
        )  # fmt: skip

    @property
    def quality(self) -> float:
        """Word error rate, or the share of exact numbers."""
        return self.wrong / self.words if self.words else self.exact / self.clips

    def to_dict(self) -> dict[str, Any]:
        """Figures."""
        return {
            "clips": self.clips,
            **({"word_error_rate": self.quality} if self.words else {
                "exact": self.quality, "exact_in_any_reading": self.among / self.clips,
            }),
            "nothing_heard": self.empty,
            "cpu_ms": percentiles(self.cpu_ms),
        }  # fmt: skip


Hear = Callable[[Sequence[sets.Clip]], list[Heard]]


def documented(folder: str) -> Hear:
    """faster-whisper by its documentation's first example, told the language and kept to one thread."""
    from faster_whisper import WhisperModel

    model = WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True)

    def hear(clips: Sequence[sets.Clip]) -> list[Heard]:
        heard = []
        for clip in clips:
            segments, _ = model.transcribe(sound.to_model_rate(clip.audio), beam_size=5, language="en")
            heard.append(Heard(" ".join(segment.text.strip() for segment in segments)))
        return heard

    return hear


def ours(ears: Ears, quick: bool = False) -> Hear:
    """As the speech process."""

    def hear(clips: Sequence[sets.Clip]) -> list[Heard]:
        return ears.recognise([Utterance(clip.audio, clip.expect, "en") for clip in clips], quick)

    return hear


def in_turn(ways: dict[str, Hear], clips: Sequence[sets.Clip], together: int = 1) -> dict[str, dict[str, Score]]:
    """Each way hears each clip, one way after the other, so that other load on the machine meets all alike."""
    scores: dict[str, dict[str, Score]] = {way: {} for way in ways}
    for start in range(0, len(clips), together):
        batch = clips[start : start + together]
        for way, hear in ways.items():
            began = time.process_time()
            answers = hear(batch)
            cpu_ms = 1e3 * (time.process_time() - began) / len(batch)
            for clip, heard in zip(batch, answers, strict=True):
                scores[way].setdefault(clip.set, Score()).add(clip, heard, cpu_ms)
    return scores


def inventions(ways: dict[str, Hear], quick: bool) -> dict[str, Any]:
    """How many sounds without words would have become a turn, open and with digits expected."""
    rng = np.random.default_rng(SEED)
    counts: dict[str, dict[str, int]] = {}
    for number, (kind, audio) in enumerate(not_speech(rng, quick)):
        row = counts.setdefault(kind, {"sounds": 0, "beside": 0, **dict.fromkeys(ways, 0)})
        row["beside"] += number % BESIDE == 0
        for expect in (Expectation(), Expectation("digits", (10,))):
            row["sounds"] += 1
            clip = sets.Clip(kind, audio, "", expect)
            for way, hear in ways.items():
                if way != "documented" or (expect.kind == "open" and number % BESIDE == 0):
                    row[way] += bool(any(letter.isalnum() for letter in hear([clip])[0].text))
    return counts


def first_audio(name: str, engine: Synthesiser, times: int) -> dict[str, Any]:
    """Milliseconds until something can be played: piece by piece as we do, and the whole text at once."""
    voice = Voice(name, engine, "en")
    figures: dict[str, Any] = {}
    for what, text in (("short", SHORT), ("long", LONG)):
        first, whole, at_once, seconds, cpu = [], [], [], 0.0, 0.0
        for _ in range(times):
            began, began_cpu = time.perf_counter(), time.process_time()
            made = [(voice.say(piece), time.perf_counter() - began) for piece in pieces_of(text)]
            first.append(1e3 * made[0][1])
            whole.append(1e3 * made[-1][1])
            cpu += time.process_time() - began_cpu
            seconds += sum(len(audio) for audio, _ in made) / SAMPLE_RATE
            began = time.perf_counter()
            for _wave in list(engine.synthesise(text)):
                pass
            at_once.append(1e3 * (time.perf_counter() - began))
        figures[what] = {
            "first_ms": statistics.median(first),
            "all_ms": statistics.median(whole),
            "whole_text_at_once_ms": statistics.median(at_once),
            "cpu_per_second_of_audio": cpu / seconds,
        }
    return figures


def clips_of(voices: dict[str, Synthesiser], scale: int) -> list[sets.Clip]:
    """Every set that is there."""
    rng = np.random.default_rng(SEED)
    return [
        *sets.real_digits(40 // scale, rng),
        *sets.announced_numbers(10 // scale, rng),
        *sets.account_numbers(voices, 16 // scale, rng),
        *sets.prompts(30 // scale),
        *sets.jfk(),
        *sets.synthetic(voices, 14 // scale, rng),
    ]


def measure(quick: bool) -> Topic:
    """All of it."""
    models = Models.here()
    voices: dict[str, Synthesiser] = {
        "piper": PiperEngine(models.file("en_US-joe-medium")),
        "hibari": HibariEngine(models.file("hibari-heart")),
    }
    folder = models.open(MODEL)
    ears = Ears(Whisper(folder, workers=1), silero.load(models.file("silero-vad")))
    ways = {"ours": ours(ears), "documented": documented(str(folder))}
    clips = clips_of(voices, 10 if quick else 1)
    for hear in ways.values():
        hear(clips[:1])  # the first one sets memory up
    pair = in_turn(ways, clips[::BESIDE])
    rest = in_turn({"ours": ways["ours"]}, [clip for number, clip in enumerate(clips) if number % BESIDE])
    every = {name: score.plus(rest["ours"].get(name)) for name, score in _all_sets(pair["ours"], rest["ours"])}
    others = in_turn({"overloaded": ours(ears, quick=True)}, clips[::BESIDE])
    others |= in_turn({"four at once": ours(ears)}, clips[::BESIDE], TOGETHER)
    invented = inventions(ways, quick)
    spoken = {name: first_audio(name, engine, 3 if quick else 9) for name, engine in voices.items()}
    result = {
        "ours": {name: score.to_dict() for name, score in every.items()},
        "on_every_third": {
            way: {name: score.to_dict() for name, score in each.items()} for way, each in (pair | others).items()
        },
        "inventions": invented,
        "first_audio": spoken,
        "model": MODEL,
    }
    cost = {way: statistics.median(_cpu(each)) for way, each in (pair | others).items()}
    result["cpu_ms_median"] = cost
    bars = [
        Bar("sounds without words that would become a turn", _sum(invented, "ours"), most=0),
        Bar(
            "CPU an utterance, times less than faster-whisper as documented",
            cost["documented"] / cost["ours"], least=3.0, unit=" x",
        ),
        Bar(
            "word error rate, all sentences, above that of faster-whisper as documented",
            _wer(pair["ours"]) - _wer(pair["documented"]), most=0.015,
        ),
    ]  # fmt: skip
    if "account numbers, real" in every:
        real = every["account numbers, real"]
        bars.append(Bar("exact account numbers, real digits, first reading", real.quality, least=0.75))
        bars.append(Bar("the same in any reading", real.among / real.clips, least=0.85))
    command = COMMAND + (" --quick" if quick else "")
    return Topic(
        "speech", "Speech on the telephone", command, result, bars, body(every, pair, others, invented, spoken, cost)
    )


def _quality(score: Score | None) -> str:
    if score is None or not score.clips:
        return ""
    return f"{score.quality:.1%} wrong" if score.words else f"{score.quality:.0%} exact"


def _cpu(scores: dict[str, Score]) -> list[float]:
    return [each for score in scores.values() for each in score.cpu_ms]


def _wer(scores: dict[str, Score]) -> float:
    return sum(score.wrong for score in scores.values()) / max(1, sum(score.words for score in scores.values()))


def _sum(invented: dict[str, Any], way: str) -> int:
    return sum(row[way] for row in invented.values())


def _all_sets(one: dict[str, Score], other: dict[str, Score]) -> Iterator[tuple[str, Score]]:
    for name in dict.fromkeys([*one, *other]):
        yield name, one.get(name) or Score()


def body(
    every: dict[str, Score],
    pair: dict[str, dict[str, Score]],
    others: dict[str, dict[str, Score]],
    invented: dict[str, Any],
    spoken: dict[str, Any],
    cost: dict[str, float],
) -> str:
    """The tables."""

    def rows() -> Iterator[list[object]]:
        for name, score in every.items():
            same, other = pair["ours"].get(name), pair["documented"].get(name)
            among = "" if score.words else f"{score.among / score.clips:.0%}"
            yield [name, score.clips, _quality(score), among, _quality(same), _quality(other), other and other.clips]

    absent = [what for what, there in (
        ("real digits and jfk", sets.SHARED.exists()), ("real prompts", sets.TRANSCRIPTS.exists()),
    ) if not there]  # fmt: skip
    left_out = f"Left out, because it is not on this machine: {', '.join(absent)}.\n\n" if absent else ""
    voiced = [
        [name, what, f["first_ms"], f["all_ms"], f["whole_text_at_once_ms"], f["cpu_per_second_of_audio"]]
        for name, each in spoken.items()
        for what, f in each.items()
    ]
    return (
        f"{MODEL}, int8, beam 5, one thread; 8 kHz mu-law. Beside ours the same model by faster-whisper's documented "
        "call (30 s windows). A number is exact when all ten digits are.\n\n"
        + left_out
        + table(
            ["set", "clips", "ours", "in any reading", "ours beside it", "documented", "clips of both"],
            rows(),
        )
        + "\n"
        + table(
            ["CPU an utterance", "median ms", "sentences wrong"],
            [[way, cost[way], f"{_wer(each):.1%}"] for way, each in (pair | others).items()],
        )
        + "\n\"overloaded\" is the shorter window that the speech process uses while many wait, \"four at once\" four "
        "callers in one batch; all on every third clip.\n\n"
        + table(
            ["sounds without words", "heard", "turns, ours", "heard as documented", "turns, documented"],
            [
                [kind, row["sounds"], str(row["ours"]), row["beside"], str(row["documented"])]
                for kind, row in invented.items()
            ],
        )
        + "\n"
        + table(["voice", "text", "first audio ms", "all ms", "whole text at once ms", "CPU s a second"], voiced)
    )  # fmt: skip


if __name__ == "__main__":
    run(measure)
