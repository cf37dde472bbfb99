"""Silero voice activity detection at the telephone's own 8 kHz."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from voice.protocols import SAMPLE_RATE, Pcm

WINDOW = 256
"""Samples that are judged at once, 32 ms; the model knows no other number at 8 kHz."""
_CONTEXT = 32
"""Samples of the window before that the model wants to see again."""


def load(path: Path) -> Any:
    """The model, to be shared by all calls of a process; one thread, because two only wait for each other."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(path), sess_options=options, providers=["CPUExecutionProvider"])


class SileroActivity:
    """`voice.protocols.VoiceActivity`: one a call, because it remembers what it heard.

    Args:
        session: what `load` gave.
    """

    def __init__(self, session: Any) -> None:
        self._session = session
        self._rate = np.array(SAMPLE_RATE, dtype=np.int64)
        self._input = np.zeros((1, _CONTEXT + WINDOW), dtype=np.float32)
        self.reset()

    def reset(self) -> None:
        """Forget what was heard before."""
        self._state = np.zeros((2, 1, 128), dtype=np.float32)
        self._input[:] = 0.0

    def __call__(self, window: Pcm) -> float:
        """How likely the 256 samples (32 ms) are speech, 0 to 1.

        Raises:
            ValueError: another number of samples.
        """
        if len(window) != WINDOW:
            raise ValueError(f"{len(window)} samples instead of {WINDOW}")
        self._input[0, :_CONTEXT] = self._input[0, -_CONTEXT:]
        self._input[0, _CONTEXT:] = window
        self._input[0, _CONTEXT:] /= 32_768.0
        out, self._state = self._session.run(None, {"input": self._input, "state": self._state, "sr": self._rate})
        return float(out[0, 0])


def voiced_seconds(session: Any, audio: Pcm, least: float = 0.5) -> float:
    """How much of a piece of sound is speech.

    Args:
        session: what `load` gave.
        audio: at SAMPLE_RATE.
        least: the probability from which a window counts.
    """
    activity = SileroActivity(session)
    whole = len(audio) // WINDOW * WINDOW
    windows = audio[:whole].reshape(-1, WINDOW)
    return sum(activity(window) >= least for window in windows) * WINDOW / SAMPLE_RATE
