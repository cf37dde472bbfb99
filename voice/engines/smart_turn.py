"""smart-turn: has the speaker finished? A judge of sound, not of words; the dialogue's expectation goes before it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
from faster_whisper.feature_extractor import FeatureExtractor

from voice.engines.audio import MODEL_RATE, to_model_rate
from voice.protocols import SAMPLE_RATE, Pcm

SECONDS = 8
"""Of sound that the model looks at."""


class SmartTurn:
    """The model in one thread. Blocking; call it off the event loop.

    Args:
        path: of the ONNX file.
    """

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            str(path), sess_options=options, providers=["CPUExecutionProvider"]
        )
        self._features = FeatureExtractor(chunk_length=SECONDS)

    def finished(self, audio: Pcm) -> float:
        """How likely the speaker has finished, 0 to 1."""
        wave = to_model_rate(audio[-SECONDS * SAMPLE_RATE :])
        # The model was trained with silence before short pieces and a normalised level (pipecat's smart_turn module).
        padded = np.zeros(SECONDS * MODEL_RATE, dtype=np.float32)
        padded[len(padded) - min(len(wave), len(padded)) :] = wave[-len(padded) :]
        padded = (padded - padded.mean()) / np.sqrt(padded.var() + 1e-7)
        mel = self._features(padded, padding=160)[None, :, : SECONDS * 100]
        return float(self._session.run(None, {"input_features": mel.astype(np.float32)})[0].reshape(-1)[0])
