"""A third opinion for the guard: what a message means, by the sentence encoder of the dialogue core.

The second opinion knows words and letters, and takes "the wire transfer is down" for a wire; meaning tells them apart.
It costs some milliseconds, so it is asked only where rules and second opinion leave the matter open (`weigh.py`).
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import structlog

from bot.core.encoder import Encoder, load_encoder
from bot.safety.second import WEIGHTS

log = structlog.get_logger()

ENCODER = Path(__file__).resolve().parents[2] / "models" / "encoder"


class Meaning:
    """A linear model over sentence vectors."""

    def __init__(self, encoder: Encoder, coefficients: np.ndarray, intercepts: np.ndarray) -> None:
        """Put it together.

        Args:
            encoder: sentences to vectors.
            coefficients: shape (kinds, size), of `second.KINDS`.
            intercepts: shape (kinds,).
        """
        self._encoder = encoder
        self._coefficients = coefficients
        self._intercepts = intercepts

    def probabilities(self, *pieces: list[str]) -> np.ndarray:
        """How likely each of `second.KINDS` is, of the piece that sounds most like an emergency.

        Args:
            pieces: the words (`second.words_of`) of the whole message, and of its loudest part.
        """
        texts = list(dict.fromkeys(" ".join(piece) for piece in pieces))
        scores = self._encoder.encode(texts) @ self._coefficients.T + self._intercepts
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        return np.asarray(shares[int(np.argmin(shares[:, 0]))])


@lru_cache(maxsize=1)
def meaning() -> Meaning | None:
    """The process's model; None when it cannot be loaded, which never keeps the guard from working."""
    try:
        with np.load(WEIGHTS) as stored:
            coefficients, intercepts = stored["meaning_coefficients"], stored["meaning_intercepts"]
        return Meaning(load_encoder(str(ENCODER)), coefficients.astype(np.float32), intercepts.astype(np.float32))
    except Exception as error:  # whatever is wrong with a model file: rules and second opinion go on alone
        log.critical("safety.meaning_not_loaded", error=type(error).__name__)
        return None
