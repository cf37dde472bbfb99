"""Sentences that were spoken before.

What may be kept where is a matter of privacy. A sentence that the gateway declares fixed (the same for every caller) is
kept on disk under a hash of voice and words; the words themselves are not written. Any other sentence may name a
customer's address or balance: it is kept in memory only, only from the second time on, and only until others need
the room.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import zlib
from collections import OrderedDict
from pathlib import Path

import numpy as np
import structlog

from voice.protocols import Pcm

log = structlog.get_logger()

MEMORY = 48_000_000
"""Bytes; some fifty minutes."""
SEEN = 4_096
"""Sentences of which it is remembered, as a hash, that they were spoken once."""
_CRC = 4
"""Bytes before the samples."""


class SentenceCache:
    """Audio by a key of voice, language and text.

    Args:
        folder: for fixed sentences; None keeps nothing on disk.
        memory: bytes.
    """

    def __init__(self, folder: Path | None, memory: int = MEMORY) -> None:
        self._folder = folder
        self._room = memory
        self._used = 0
        self._kept: OrderedDict[str, Pcm] = OrderedDict()
        self._seen: OrderedDict[str, None] = OrderedDict()

    @staticmethod
    def key(voice: str, language: str, text: str) -> str:
        """A hash; from the disk nobody can read what was said."""
        return hashlib.sha256("\0".join((voice, language, text)).encode()).hexdigest()

    @property
    def used(self) -> int:
        """Bytes in memory."""
        return self._used

    async def find(self, key: str, fixed: bool) -> Pcm | None:
        """What was said, when it is kept."""
        audio = self._kept.get(key)
        if audio is not None:
            self._kept.move_to_end(key)
            return audio
        if not fixed or self._folder is None:
            return None
        audio = await asyncio.to_thread(self._read, key)
        if audio is not None:
            self._remember(key, audio)
        return audio

    async def keep(self, key: str, audio: Pcm, fixed: bool) -> None:
        """Keep what was just said, as far as it may be."""
        if not fixed and not self._second_time(key):
            return
        self._remember(key, audio)
        if fixed and self._folder is not None:
            try:
                await asyncio.to_thread(self._write, key, audio)
            except OSError as error:
                log.warning("a fixed sentence cannot be kept on disk", error=type(error).__name__)

    def _second_time(self, key: str) -> bool:
        again = key in self._seen
        self._seen[key] = None
        self._seen.move_to_end(key)
        while len(self._seen) > SEEN:
            self._seen.popitem(last=False)
        return again

    def _remember(self, key: str, audio: Pcm) -> None:
        if audio.nbytes > self._room // 4:
            return
        old = self._kept.pop(key, None)
        self._used += audio.nbytes - (old.nbytes if old is not None else 0)
        self._kept[key] = audio
        while self._used > self._room:
            _, gone = self._kept.popitem(last=False)
            self._used -= gone.nbytes

    def _path(self, key: str) -> Path:
        assert self._folder is not None
        return self._folder / f"{key}.pcm"

    def _read(self, key: str) -> Pcm | None:
        try:
            data = self._path(key).read_bytes()
        except OSError:
            return None
        samples = data[_CRC:]
        if not samples or len(samples) % 2 or zlib.crc32(samples) != int.from_bytes(data[:_CRC], "little"):
            with contextlib.suppress(OSError):
                self._path(key).unlink()
            return None
        return np.frombuffer(samples, dtype="<i2").astype(np.int16)

    def _write(self, key: str, audio: Pcm) -> None:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        samples = audio.astype("<i2").tobytes()
        unfinished = path.with_suffix(f".{os.getpid()}")
        unfinished.write_bytes(zlib.crc32(samples).to_bytes(_CRC, "little") + samples)
        unfinished.replace(path)
