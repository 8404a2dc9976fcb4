"""Trained heads as a file, and as what search needs of them: two functions from unit vectors to unit vectors.

A projector is one safetensors file whose header says for which two encoders it was trained; its numbers are those of
`heads.make_heads`. It is applied with numpy alone: batch normalisation is folded into the layer before it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from haystack_agent.encoders.heads import CLIP, TEXT
from haystack_agent.errors import ModelMismatch, ModelUnavailable
from haystack_agent.system.whole_files import replacing
from haystack_agent.vectors import FloatArray

if TYPE_CHECKING:
    import torch

_FORMAT = 1
_NORM_EPS = 1e-5
_LAYERS = {
    "0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var", "3.weight", "3.bias",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class EncoderRef:
    """An encoder, as a projector names it: its fingerprint changes with its weights."""

    name: str
    fingerprint: str
    width: int


@dataclass(frozen=True, slots=True)
class ProjectorCard:
    """What a projector says of itself."""

    text: EncoderRef
    clip: EncoderRef
    dimension: int
    data: str = ""
    """What it was trained on, in words."""
    scores: dict[str, float] = field(default_factory=dict)
    format: int = _FORMAT


@dataclass(frozen=True, slots=True)
class _Head:
    """Two layers: ``relu(x . first + shift) . second + bias``."""

    first: FloatArray
    shift: FloatArray
    second: FloatArray
    bias: FloatArray

    def __call__(self, vectors: FloatArray) -> FloatArray:
        hidden = np.maximum(vectors @ self.first + self.shift, 0)
        projected = hidden @ self.second + self.bias
        unit: FloatArray = projected / np.linalg.norm(projected, axis=-1, keepdims=True)
        return unit


class Projector:
    """Brings both sides into one space."""

    def __init__(self, card: ProjectorCard, tensors: dict[str, FloatArray]) -> None:
        self.card = card
        self._heads = {side: _folded(side, tensors) for side in (TEXT, CLIP)}

    @property
    def fingerprint(self) -> str:
        """Changes with the numbers."""
        digest = hashlib.sha256()
        for head in self._heads.values():
            for numbers in (head.first, head.shift, head.second, head.bias):
                digest.update(np.ascontiguousarray(numbers).tobytes())
        return digest.hexdigest()[:16]

    def project_text(self, vectors: FloatArray) -> FloatArray:
        """Sentence vectors, shape (..., text width), to unit vectors of shape (..., dimension)."""
        return self._heads[TEXT](vectors)

    def project_clip(self, vectors: FloatArray) -> FloatArray:
        """Picture vectors (or texts by CLIP's text tower), shape (..., clip width), to shape (..., dimension)."""
        return self._heads[CLIP](vectors)

    @classmethod
    def load(cls, path: Path, text: EncoderRef | None = None, clip: EncoderRef | None = None) -> Projector:
        """Read a projector and, where told, check that it was trained for these encoders.

        Raises:
            ModelUnavailable: the file is missing, cut short or damaged.
            ModelMismatch: it was trained for others.
        """
        card, tensors = _read(path)
        for side, found, wanted in (("text", card.text, text), ("picture", card.clip, clip)):
            if wanted is not None and (found.fingerprint, found.width) != (wanted.fingerprint, wanted.width):
                raise ModelMismatch(
                    f"The projector {path} was trained for the {side} encoder {found.name} ({found.fingerprint}, "
                    f"width {found.width}), not for {wanted.name} ({wanted.fingerprint}, width {wanted.width}): "
                    "use it with the encoder it was trained for, or train one with `haystack-agent uclip train`."
                )
        return cls(card, tensors)


def save_projector(path: Path, heads: torch.nn.Module, card: ProjectorCard) -> None:
    """Write a projector, and beside it a model card for people."""
    from safetensors.torch import save_file

    tensors = {name: value.contiguous() for name, value in heads.state_dict().items() if _known(name)}
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as draft:
        save_file(tensors, draft, {"card": json.dumps(asdict(card), ensure_ascii=False)})
    path.with_suffix(".md").write_text(_model_card(card), "utf-8")


def _known(name: str) -> bool:
    return name.split(".", 1)[1] in _LAYERS


def read_card(path: Path) -> ProjectorCard:
    """What a projector says of itself, without its numbers.

    Raises:
        ModelUnavailable: the file is missing, cut short or damaged.
    """
    return _read(path)[0]


def _read(path: Path) -> tuple[ProjectorCard, dict[str, FloatArray]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy") as file:
            values = json.loads((file.metadata() or {})["card"])
            tensors = {name: file.get_tensor(name).astype(np.float32) for name in file.keys()}  # noqa: SIM118
        card = _card(values)
    except FileNotFoundError:
        raise ModelUnavailable(f"There is no projector {path}: check the name.") from None
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise ModelUnavailable(f"The projector {path} cannot be read ({error}): get it or train it again.") from error
    if card.format != _FORMAT:
        raise ModelUnavailable(f"The projector {path} has format {card.format}, this version reads {_FORMAT}.")
    _check_shapes(path, card, tensors)
    return card, tensors


def _card(values: dict[str, Any]) -> ProjectorCard:
    text, clip = (EncoderRef(**values.pop(side)) for side in (TEXT, CLIP))
    return ProjectorCard(text, clip, **values)


def _check_shapes(path: Path, card: ProjectorCard, tensors: dict[str, FloatArray]) -> None:
    for side, width in ((TEXT, card.text.width), (CLIP, card.clip.width)):
        wanted: dict[str, tuple[int, ...]] = dict.fromkeys(_LAYERS, (2 * width,))
        wanted |= {"0.weight": (2 * width, width), "3.weight": (card.dimension, 2 * width), "3.bias": (card.dimension,)}
        for name, shape in wanted.items():
            tensor = tensors.get(f"{side}.{name}")
            if tensor is None or tensor.shape != shape or not np.isfinite(tensor).all():
                found = "nothing" if tensor is None else f"shape {tensor.shape}"
                raise ModelUnavailable(
                    f"The projector {path} holds {found} as {side}.{name}, where finite numbers of shape {shape} "
                    "belong: it is damaged, get it or train it again."
                )


def _folded(side: str, tensors: dict[str, FloatArray]) -> _Head:
    layer = {name: tensors[f"{side}.{name}"] for name in _LAYERS}
    scale = layer["1.weight"] / np.sqrt(layer["1.running_var"] + _NORM_EPS)
    shift = (layer["0.bias"] - layer["1.running_mean"]) * scale + layer["1.bias"]
    first = np.ascontiguousarray((layer["0.weight"] * scale[:, None]).T)
    return _Head(first, shift, np.ascontiguousarray(layer["3.weight"].T), layer["3.bias"])


def _model_card(card: ProjectorCard) -> str:
    lines = [
        "# uCLIP projector",
        "",
        "Two heads that bring a sentence encoder and a CLIP into one space (arXiv 2511.13036).",
        "",
        f"- text encoder: {card.text.name} (`{card.text.fingerprint}`, width {card.text.width})",
        f"- CLIP: {card.clip.name} (`{card.clip.fingerprint}`, width {card.clip.width})",
        f"- common space: {card.dimension} dimensions",
        f"- trained on: {card.data or 'not said'}",
        "",
    ]
    if card.scores:
        lines += [
            "| measure | value |",
            "|---|---:|",
            *(f"| {name} | {value:.3f} |" for name, value in card.scores.items()),
            "",
        ]
    return "\n".join(lines)
