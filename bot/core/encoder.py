"""Sentences to vectors: a small BERT encoder as int8 ONNX on one thread, 1 to 3 ms a sentence.

The weights are `models/encoder/`: all-MiniLM-L6-v2 fine-tuned on the project's own examples (`make encoder`; recipe in
`models/encoder/recipe/`). Nothing is downloaded.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Sequence

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

MAX_TOKENS = 128
"""A message longer than this is read by its first and last halves of that: the point stands at either end."""


class Encoder:
    """An ONNX sentence encoder and its tokenizer."""

    def __init__(self, folder: Path) -> None:
        """Load ``model.onnx`` and ``tokenizer.json`` from ``folder``.

        Raises:
            FileNotFoundError: when one of them is missing, with what to run.
        """
        for name in ("model.onnx", "tokenizer.json"):
            if not (folder / name).is_file():
                raise FileNotFoundError(f"{folder / name} is missing; `make encoder` builds it")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        self._session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._inputs = {item.name for item in self._session.get_inputs()}
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self.size = int(self.encode(["size"]).shape[1])

    def _ids(self, text: str) -> list[int]:
        ids = self._tokenizer.encode(text).ids
        if len(ids) <= MAX_TOKENS:
            return list(ids)
        half = MAX_TOKENS // 2
        return list(ids[:half]) + list(ids[-half:])

    def encode(self, texts: Sequence[str], batch: int = 32) -> np.ndarray:
        """Unit-length vectors, float32, shape (len(texts), size).

        Args:
            texts: sentences; the empty string is allowed.
            batch: sentences at a time; sentences of like length go together, so little is padded.
        """
        token_ids = [self._ids(text) for text in texts]
        order = sorted(range(len(texts)), key=lambda index: len(token_ids[index]))
        rows: list[np.ndarray] = [np.empty(0)] * len(texts)
        for start in range(0, len(order), batch):
            chunk = order[start : start + batch]
            width = max(len(token_ids[index]) for index in chunk)
            ids = np.zeros((len(chunk), width), dtype=np.int64)
            mask = np.zeros((len(chunk), width), dtype=np.int64)
            for row, index in enumerate(chunk):
                ids[row, : len(token_ids[index])] = token_ids[index]
                mask[row, : len(token_ids[index])] = 1
            feed = {"input_ids": ids, "attention_mask": mask}
            if "token_type_ids" in self._inputs:
                feed["token_type_ids"] = np.zeros_like(ids)
            vectors = self._session.run(None, feed)[0]
            for row, index in enumerate(chunk):
                rows[index] = vectors[row]
        if not rows:
            return np.zeros((0, self.size), dtype=np.float32)
        stacked = np.stack(rows).astype(np.float32)
        return np.asarray(stacked / np.maximum(np.linalg.norm(stacked, axis=1, keepdims=True), 1e-9))


@functools.lru_cache(maxsize=2)
def load_encoder(folder: str) -> Encoder:
    """The encoder in ``folder``, loaded once a process."""
    return Encoder(Path(folder))
