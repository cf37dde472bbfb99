"""Loading the engines that the environment names, or saying what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from integrations.base.settings import Settings
from voice.engines import audio as sound
from voice.engines import silero
from voice.engines.audio import Wave
from voice.engines.inventions import believe
from voice.engines.smart_turn import SmartTurn
from voice.engines.whisper import Utterance, Whisper
from voice.protocols import SAMPLE_RATE, Expectation, Heard, Pcm
from voice.speech.models import FETCH, ModelError, Models, sha256_of

DEFAULT_VOICES = {"piper": "en_US-joe-medium", "hibari": "hibari-heart"}
CALIBRATION = {
    "en": "Your power is out, and a crew is on its way.",
    "es": "No tiene luz, y una cuadrilla va en camino.",
}
"""Said once at start-up to learn how loud a voice is."""
LEAD = SAMPLE_RATE // 33
"""Samples of silence that a piece may begin with, 30 ms; voices begin with up to 300, which a caller waits for."""
TRAIL = {True: SAMPLE_RATE * 22 // 100, False: SAMPLE_RATE * 9 // 100}
"""Samples of silence after a sentence, and after a clause."""
WINDOW = SAMPLE_RATE // 100


class Synthesiser(Protocol):
    """An engine with one voice."""

    rate: int

    def synthesise(self, text: str) -> Iterator[Wave]:
        """Speech at `rate`, a sentence at a time; blocks."""
        ...


class Voice:
    """An engine's voice at the telephone's rate and level.

    Args:
        name: of engine and file; what is kept of it is kept under this name.
        engine: makes the sound.
        language: for calibration.
    """

    def __init__(self, name: str, engine: Synthesiser, language: str) -> None:
        self.name = name
        self._engine = engine
        self._gain = sound.gain_for(sound.active_level(self._make(CALIBRATION.get(language, CALIBRATION["en"]))))

    def say(self, text: str) -> Pcm:
        """A piece of a text; blocks. Empty when there is nothing to pronounce."""
        wave = _trimmed(self._make(text), ends=text.rstrip().endswith((".", "!", "?", "…")))
        return sound.to_pcm(wave, self._gain)

    def _make(self, text: str) -> Wave:
        made = [sound.to_telephone(wave, self._engine.rate) for wave in self._engine.synthesise(text)]
        return np.concatenate(made) if made else np.zeros(0, np.float32)


class Ears:
    """Recognition that is believed: Whisper, and a judge of whether there was anything to hear.

    Args:
        whisper: the model.
        activity: Silero's session.
    """

    def __init__(self, whisper: Whisper, activity: Any) -> None:
        self._whisper = whisper
        self._activity = activity

    @property
    def languages(self) -> frozenset[str]:
        """That it can be asked for."""
        return self._whisper.languages

    def recognise(self, utterances: Sequence[Utterance], quick: bool) -> list[Heard]:
        """What was said in each; blocks."""
        voiced = [silero.voiced_seconds(self._activity, utterance.audio) for utterance in utterances]
        # Where there is no voice Whisper is not asked: it would invent something, for a third of a CPU-second.
        asked = [number for number, seconds in enumerate(voiced) if seconds > 0.0]
        readings = self._whisper.recognise([utterances[number] for number in asked], quick)
        heard = [Heard("", no_speech=1.0)] * len(utterances)
        for number, reading in zip(asked, readings, strict=True):
            heard[number] = believe(reading, utterances[number], voiced[number])
        return heard


@dataclass(frozen=True, slots=True)
class Engines:
    """Everything that makes words of sound and sound of words."""

    ears: Ears
    voices: Mapping[str, Voice]
    turn: SmartTurn


def load(settings: Settings, models: Models) -> Engines:
    """Load everything; takes some seconds, and blocks.

    Raises:
        ModelError: naming the setting or the file that is wrong.
    """
    # Everything is found before anything is loaded: a wrong setting is told at once.
    folder = _whisper_folder(settings.speech_stt_model, models)
    voices_of = {"en": _voice_file("SPEECH_VOICE", settings.speech_voice_engine, settings.speech_voice, models)}
    if settings.speech_voice_es:
        voices_of["es"] = _voice_file("SPEECH_VOICE_ES", "piper", settings.speech_voice_es, models)
    activity = silero.load(models.file("silero-vad"))
    turn = SmartTurn(models.file("smart-turn"))
    try:
        whisper = Whisper(
            folder,
            device=settings.speech_stt_device,
            compute=settings.speech_stt_compute,
            beam=settings.speech_stt_beam,
            workers=settings.speech_workers,
        )
    except (ValueError, RuntimeError, OSError) as error:
        raise ModelError(
            f"SPEECH_STT_MODEL={settings.speech_stt_model} cannot be loaded with "
            f"SPEECH_STT_DEVICE={settings.speech_stt_device} and SPEECH_STT_COMPUTE={settings.speech_stt_compute}: "
            f"{error}"
        ) from None
    voices = {
        language: _voice("piper" if language == "es" else settings.speech_voice_engine, path, language)
        for language, path in voices_of.items()
    }
    ears = Ears(whisper, activity)
    # The first recognition sets memory up; no caller should wait for that.
    ears.recognise([Utterance(voices["en"].say(CALIBRATION["en"]), Expectation(), "en")], False)
    return Engines(ears, voices, turn)


def _whisper_folder(name: str, models: Models) -> Path:
    folder = Path(name)
    if "/" not in name:
        return models.open(name)
    missing = [part for part in ("model.bin", "config.json", "tokenizer.json") if not (folder / part).is_file()]
    if missing:
        raise ModelError(f"SPEECH_STT_MODEL={name} is no CTranslate2 Whisper folder: {', '.join(missing)} is missing")
    return folder


def _voice_file(setting: str, engine: str, name: str, models: Models) -> Path:
    name = name or DEFAULT_VOICES[engine]
    if "/" not in name:
        model = models.manifest.find(name)
        if model.engine != engine:
            raise ModelError(f"{setting}={name} is a voice of {model.engine}, not of {engine}: see SPEECH_VOICE_ENGINE")
        return models.file(name)
    path = Path(name)
    for needed in (path, Path(f"{path}.json")) if engine == "piper" else (path,):
        if not needed.is_file():
            raise ModelError(f"{setting}: {needed} is missing; name a voice of the manifest or a file, or {FETCH}")
    return path


def _voice(engine: str, path: Path, language: str) -> Voice:
    try:
        synthesiser = _synthesiser(engine, path)
    except Exception as error:  # what a file that is no voice does inside onnxruntime has many types
        raise ModelError(f"{path} cannot be used as a voice of {engine}: {type(error).__name__}: {error}") from None
    return Voice(f"{engine}-{sha256_of(path)[:16]}", synthesiser, language)


def _synthesiser(engine: str, path: Path) -> Synthesiser:
    # Imported here: each engine takes a while to import, Piper's licence is the GPL, and only one of them is used.
    if engine == "piper":
        from voice.engines.piper import PiperEngine

        return PiperEngine(path)
    from voice.engines.hibari import HibariEngine

    return HibariEngine(path)


def _trimmed(wave: Wave, ends: bool) -> Wave:
    """Without the silence that a voice puts around every piece."""
    whole = len(wave) // WINDOW
    if not whole:
        return wave
    level = np.sqrt(np.mean(np.square(wave[: whole * WINDOW].reshape(-1, WINDOW)), axis=1))
    loud = np.nonzero(level > 0.03 * level.max())[0]
    if not len(loud):
        return wave[:0]
    first = max(0, int(loud[0]) * WINDOW - LEAD)
    last = (int(loud[-1]) + 1) * WINDOW + TRAIL[ends]
    return np.pad(wave[first:last], (0, max(0, last - len(wave))))
