"""Whisper by CTranslate2, hearing no more silence than it has to.

Whisper was trained on 30 s of sound, so faster-whisper pads every "yes" to 30 s and pays for all of it. Here the
encoder gets the utterance (at least 8 s of it, with silence), and what is missing to 30 s is appended as *encoder
states of silence* that were computed once. The decoder sees the ending that it was trained on, and the encoder, most of
the cost, works on what was said. docs/bench has both beside each other.

The model is told nothing about utilities beforehand. Measured, such a hint gained nothing above 10 dB of noise, cost an
eighth of the CPU, and came back out of pure noise as words: "power outage" that nobody had said.

Everything here blocks; the speech process calls it from its worker threads.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
import tokenizers
from faster_whisper.feature_extractor import FeatureExtractor
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_suppressed_tokens
from numpy.typing import NDArray

from voice.engines.audio import MODEL_RATE, to_model_rate
from voice.protocols import SAMPLE_RATE, Expectation, Pcm

WHOLE_SECONDS = 30
_FRAMES_A_SECOND = 100
_STATES_A_SECOND = 50
LEAST_SECONDS = 8.0
"""Of sound that is encoded at least; less is cheaper and hears worse (docs/bench)."""
QUICK_LEAST_SECONDS = 3.0
"""The same while the process is overloaded."""
TAIL_SECONDS = 1.0
"""Of silence that is encoded after the speech, so that its end is heard as one."""
SHORT_SECONDS = 20
"""Of states that the decoder looks at for digits, which it reads as well and cheaper so, and while the process is
overloaded. Sentences it hears worse (real prompts: twice the word errors)."""
LONGEST_HINT = 40
"""Tokens of the words that are likely; more cost more than they help."""
TOKENS_A_SECOND = 12.0
"""More cannot be said: it bounds what a decoder that runs away can cost."""
NUMBERS = frozenset({"digits", "phone"})


@dataclass(frozen=True, slots=True)
class Utterance:
    """What is to be recognised.

    Attributes:
        audio: at SAMPLE_RATE, at most 30 s.
        expect: of the words.
        language: "en", "es".
    """

    audio: Pcm
    expect: Expectation
    language: str

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.audio) / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Reading:
    """What the model made of an utterance, before anybody asked whether it can be true.

    Attributes:
        texts: likeliest first; at least one.
        score: mean log probability of the first one's tokens.
        no_speech: probability that it was none.
        tokens: of the first one.
    """

    texts: tuple[str, ...]
    score: float
    no_speech: float
    tokens: int


class Whisper:
    """One model in memory, used by several threads at once.

    Args:
        folder: with CTranslate2's model.bin, config.json, tokenizer.json and vocabulary.
        device: "cpu" or "cuda".
        compute: CTranslate2's compute type.
        beam: how many readings are followed; also how many `Reading.texts` there can be.
        workers: utterance batches at once, one CPU thread each.

    Raises:
        ValueError, RuntimeError: CTranslate2 cannot load it so; the text says why.
    """

    def __init__(
        self, folder: Path, device: str = "cpu", compute: str = "int8", beam: int = 5, workers: int = 2
    ) -> None:
        self._model = ctranslate2.models.Whisper(
            str(folder), device=device, compute_type=compute, inter_threads=workers, intra_threads=1
        )
        self._beam = beam
        self._features = FeatureExtractor(feature_size=self._model.n_mels)
        self._words = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizers: dict[str, Tokenizer] = {}
        self._suppressed = list(get_suppressed_tokens(self._tokenizer("en"), [-1]))
        silence = self._mel(np.zeros(0, np.int16), WHOLE_SECONDS)
        self._silence = self._encode(silence[None])[0]

    @property
    def languages(self) -> frozenset[str]:
        """Those that it can be asked for and that a utility here needs."""
        return frozenset({"en", "es"} if self._model.is_multilingual else {"en"})

    def recognise(self, utterances: Sequence[Utterance], quick: bool = False) -> list[Reading]:
        """Recognise utterances of different callers together, which costs less than one by one.

        Args:
            utterances: any; those of about one length share best.
            quick: the shorter window, for when many wait. Following one reading only as well would save a tenth more
                and double the word errors (measured), so all are followed.
        """
        if not utterances:
            return []
        states, least = self._states(utterances, quick)
        readings: list[Reading | None] = [None] * len(utterances)
        # The decoder takes prompts of one length at a time.
        alike: dict[tuple[tuple[int, ...], bool], list[int]] = {}
        for number, utterance in enumerate(utterances):
            alike.setdefault((self._prompt(utterance), utterance.expect.kind in NUMBERS), []).append(number)
        for (prompt, numbers), members in alike.items():
            longest = max(utterances[member].seconds for member in members)
            looked_at = least if numbers else states.shape[1]
            answers = self._model.generate(
                self._view(states[members, :looked_at]),
                [list(prompt)] * len(members),
                beam_size=self._beam,
                num_hypotheses=self._beam if numbers else 1,
                length_penalty=1.0,
                # A loop is what a decoder falls into that hears nothing. Digits may repeat by themselves.
                no_repeat_ngram_size=0 if numbers else 5,
                max_length=len(prompt) + 10 + math.ceil(TOKENS_A_SECOND * longest),
                return_scores=True,
                return_no_speech_prob=True,
                suppress_tokens=self._suppressed,
            )
            for member, answer in zip(members, answers, strict=True):
                readings[member] = self._reading(answer, utterances[member].language)
        return [reading for reading in readings if reading is not None]

    # -- inside

    def _tokenizer(self, language: str) -> Tokenizer:
        if language not in self._tokenizers:
            self._tokenizers[language] = Tokenizer(
                self._words, self._model.is_multilingual, task="transcribe", language=language
            )
        return self._tokenizers[language]

    def _prompt(self, utterance: Utterance) -> tuple[int, ...]:
        tokenizer = self._tokenizer(utterance.language)
        prompt = [*tokenizer.sot_sequence, tokenizer.no_timestamps]
        if not utterance.expect.words or utterance.expect.kind in NUMBERS:
            return tuple(prompt)
        hint = tokenizer.encode(" " + ", ".join(utterance.expect.words))[:LONGEST_HINT]
        return (tokenizer.sot_prev, *hint, *prompt)

    def _mel(self, audio: Pcm, seconds: float) -> NDArray[np.float32]:
        wave = to_model_rate(audio) if len(audio) else np.zeros(0, np.float32)
        length = round(seconds * MODEL_RATE)
        padded = np.zeros(length, np.float32)
        padded[: min(len(wave), length)] = wave[:length]
        mel = self._features(padded, padding=160)[:, : round(seconds * _FRAMES_A_SECOND)]
        return np.asarray(mel, dtype=np.float32)

    def _encode(self, mels: NDArray[np.float32]) -> NDArray[np.float32]:
        view = ctranslate2.StorageView.from_array(np.ascontiguousarray(mels))
        states = self._model.encode(view, to_cpu=True)
        if states.dtype != ctranslate2.DataType.float32:
            states = states.to(ctranslate2.DataType.float32)
        return np.array(states)

    def _states(self, utterances: Sequence[Utterance], quick: bool) -> tuple[NDArray[np.float32], int]:
        """Encoder states up to the end of the window, and how many are enough for digits."""
        least = QUICK_LEAST_SECONDS if quick else LEAST_SECONDS
        longest = max(utterance.seconds for utterance in utterances) + TAIL_SECONDS
        seconds = min(float(WHOLE_SECONDS), max(least, math.ceil(longest * 2) / 2))
        heard = self._encode(np.stack([self._mel(utterance.audio, seconds) for utterance in utterances]))
        short = max(SHORT_SECONDS * _STATES_A_SECOND, heard.shape[1])
        rest = self._silence[heard.shape[1] : short if quick else WHOLE_SECONDS * _STATES_A_SECOND]
        return np.concatenate([heard, np.broadcast_to(rest, (len(heard), *rest.shape))], axis=1), short

    def _view(self, states: NDArray[np.float32]) -> Any:
        return ctranslate2.StorageView.from_array(np.ascontiguousarray(states))

    def _reading(self, answer: Any, language: str) -> Reading:
        tokenizer = self._tokenizer(language)
        texts = dict.fromkeys(tokenizer.decode(ids).strip() for ids in answer.sequences_ids)
        tokens = len(answer.sequences_ids[0])
        # The score is divided by the length without the end; Whisper's own mean counts the end too.
        score = answer.scores[0] * tokens / (tokens + 1)
        return Reading(tuple(texts), float(score), float(answer.no_speech_prob), tokens)
