"""Piper voices. Piper is GPL-3.0-or-later: only the speech process imports this module."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
from piper import PiperVoice, SynthesisConfig
from piper.config import PiperConfig

from voice.engines.audio import Wave


class PiperEngine:
    """One voice. Blocking; call it off the event loop.

    Args:
        path: of the voice's .onnx file; its .onnx.json lies beside it.

    Raises:
        OSError, ValueError, KeyError: one of the two is missing or no voice.
    """

    def __init__(self, path: Path) -> None:
        config = PiperConfig.from_dict(json.loads(Path(f"{path}.json").read_text(encoding="utf-8")))
        options = onnxruntime.SessionOptions()
        # Measured under load: a second thread waits for the first one, spinning takes the other calls' CPU, and the
        # arena keeps the largest sentence's memory for ever.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        session = onnxruntime.InferenceSession(str(path), sess_options=options, providers=["CPUExecutionProvider"])
        self._voice = PiperVoice(session=session, config=config)
        self._style = SynthesisConfig(normalize_audio=False)
        self.rate = int(config.sample_rate)
        """Hertz."""

    def synthesise(self, text: str) -> Iterator[Wave]:
        """Speech at `rate`, a sentence at a time."""
        for chunk in self._voice.synthesize(text, self._style):
            yield np.asarray(chunk.audio_float_array, dtype=np.float32)
