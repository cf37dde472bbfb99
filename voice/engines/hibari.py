"""hibari's voice: English only, many times quicker than Piper, a little plainer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from hibari import Hibari

from voice.engines.audio import Wave

SEED = 7
"""Of the breath noise, so that the same words are the same samples."""


class HibariEngine:
    """One voice. Blocking; call it off the event loop.

    Args:
        path: of the voice's .onnx file. A file is always given: by name, hibari would download at run time.
    """

    def __init__(self, path: Path) -> None:
        self._voice = Hibari(model=str(path), threads=1)
        self.rate = int(self._voice.sample_rate)
        """Hertz."""
        # Loads its dictionaries now instead of in the first caller's first sentence.
        self._voice.phonemize("Ready.")

    def synthesise(self, text: str) -> Iterator[Wave]:
        """Speech at `rate`, a sentence at a time."""
        for wave in self._voice.stream(text, seed=SEED):
            yield np.asarray(wave, dtype=np.float32)
