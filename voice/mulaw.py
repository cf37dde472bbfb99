"""G.711 mu-law, the carrier's encoding, by tables (ITU-T G.711; audioop ends with Python 3.12)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from voice.protocols import Pcm

SILENCE = 0xFF
"""The byte of no sound."""


def _decoding() -> NDArray[np.int16]:
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = (((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)
    return np.where(code & 0x80, 0x84 - magnitude, magnitude - 0x84).astype(np.int16)


def _encoding() -> NDArray[np.uint8]:
    sample = np.arange(-32768, 32768, dtype=np.int32)
    magnitude = np.minimum(np.abs(sample), 32635) + 0x84
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    sign = np.where(sample < 0, 0x80, 0)
    return np.asarray(~(sign | (exponent << 4) | mantissa) & 0xFF, np.uint8)


_DECODE = _decoding()
_ENCODE = _encoding()


def decode(data: bytes) -> Pcm:
    """Samples of mu-law bytes."""
    return _DECODE[np.frombuffer(data, np.uint8)]


def encode(samples: Pcm) -> bytes:
    """Mu-law bytes of samples."""
    return _ENCODE[samples.astype(np.int32) + 32768].tobytes()
