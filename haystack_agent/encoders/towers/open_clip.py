"""Any CLIP that open_clip can build: its weights fetched by `hub`, its pictures prepared as its configuration says.

open_clip's own ways to load a model fetch what they lack from wherever a configuration points, and read pickles. Here a
model is put together from files that are on the disk: configuration, safetensors, and for the multilingual ones the
configuration and tokenizer of a text tower of transformers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from haystack_agent.encoders.devices import (
    encodable,
    fingerprint,
    mixed_precision,
    pick_device,
    refuse_pickles,
    unit_rows,
)
from haystack_agent.encoders.hub import Hub
from haystack_agent.errors import ModelUnavailable, UsageError
from haystack_agent.vectors import FloatArray

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

T = TypeVar("T")

_CONFIG = "open_clip_config.json"
_WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.safetensors")
_TOKENIZER = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "*.model",
)
_TOKENIZER_OPTIONS = {"clean", "strip_sep_token", "language"}
"""What a configuration may set of its tokenizer; others would reach into transformers, where some run code."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """A CLIP as files."""

    name: str
    config: dict[str, Any]
    """open_clip's ``model_cfg``."""
    preprocess: dict[str, Any]
    weights: Path
    folder: Path
    text_config: Path | None = None
    """``config.json`` of a text tower of transformers."""
    tokenizer: Path | None = None
    """Folder of a tokenizer of transformers."""


class OpenClipTower:
    """A CLIP: pictures and texts to unit vectors in one space."""

    def __init__(
        self, model: str, pretrained: str | None = None, *, hub: Hub, device: str | None = None, batch: int = 32
    ) -> None:
        """Load a model, after fetching what of it is not here.

        `model` is a name of open_clip with the tag of its weights in `pretrained` (``ViT-B-32``,
        ``laion2b_s34b_b79k``), or ``hf-hub:owner/name``, or a folder in open_clip's format (with a ``/`` in it or
        ``local-dir:`` before it). `batch` pictures or texts are computed at once.

        Raises:
            UsageError: there is no such model, tag or device.
            ModelUnavailable: files are missing, damaged, or would run code; or they cannot be fetched.
        """
        parts = _with_text(_parts(model, pretrained, hub), hub)
        self.name = parts.name
        self._device, self._batch = pick_device(device), batch
        self._model = _build(parts).to(self._device).eval()
        self._tokenize = _tokenizer(parts)
        self._prepare, self.image_size = _preparation(parts, self._model)
        self.dimension = int(parts.config["embed_dim"])
        self.fingerprint = _fingerprint(parts)

    def encode_images(self, images: Sequence[Image]) -> FloatArray:
        """Encode pictures to an array of shape (len(images), dimension); each row has length 1."""
        import torch

        def compute(batch: Sequence[Image]) -> torch.Tensor:
            pixels = torch.stack([self._prepare(image) for image in batch])
            vectors: torch.Tensor = self._model.encode_image(pixels.to(self._device))  # type: ignore[operator]
            return vectors

        return self._in_batches(images, compute)

    def encode_texts(self, texts: Sequence[str]) -> FloatArray:
        """Encode texts to an array of shape (len(texts), dimension); each row has length 1; long ones are cut off."""

        def compute(batch: Sequence[str]) -> torch.Tensor:
            tokens = self._tokenize([encodable(text) for text in batch])
            vectors: torch.Tensor = self._model.encode_text(tokens.to(self._device))  # type: ignore[operator]
            return vectors

        return self._in_batches(texts, compute)

    def _in_batches(self, items: Sequence[T], compute: Callable[[Sequence[T]], torch.Tensor]) -> FloatArray:
        import torch

        with torch.inference_mode(), mixed_precision(self._device):
            rows = [unit_rows(compute(batch), self.name) for batch in _slices(items, self._batch)]
        return np.concatenate(rows) if rows else np.empty((0, self.dimension), np.float32)


def _slices(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _parts(model: str, pretrained: str | None, hub: Hub) -> _Parts:
    if model.startswith("hf-hub:"):
        repo = model.removeprefix("hf-hub:")
        return _from_folder(hub.fetch(repo, (_CONFIG, "config.json", *_WEIGHTS, *_TOKENIZER)).folder, model)
    if model.startswith("local-dir:") or "/" in model or "\\" in model:
        return _from_folder(Path(model.removeprefix("local-dir:")).expanduser(), model)
    return _from_tag(model, pretrained, hub)


def _from_folder(folder: Path, name: str) -> _Parts:
    if not folder.is_dir():
        raise ModelUnavailable(
            f"There is no folder {folder}: check the name; for a model on a hub write hf-hub:{name}."
        )
    values = _read_json(folder / _CONFIG)
    config, preprocess = values.get("model_cfg"), values.get("preprocess_cfg") or {}
    if not isinstance(config, dict) or not isinstance(preprocess, dict):
        raise ModelUnavailable(f"{folder / _CONFIG} has no model_cfg: it is not a model in open_clip's format.")
    return _Parts(name, config, preprocess, _weights_in(folder, _WEIGHTS, name), folder)


def _from_tag(model: str, pretrained: str | None, hub: Hub) -> _Parts:
    import open_clip

    config = open_clip.get_model_config(model)
    if config is None:
        near = get_close_matches(model, open_clip.list_models(), 3, 0.4)
        raise UsageError(f"open_clip knows no model {model!r}; near it are {', '.join(near) or 'none'}")
    tag = open_clip.get_pretrained_cfg(model, pretrained or "")
    if not tag:
        tags = ", ".join(open_clip.list_pretrained_tags_by_model(model)) or "none"
        raise UsageError(f"{model} has no weights named {pretrained!r}: choose one of {tags}")
    # open_clip only warns where the two differ; the weights know with which activation they were trained.
    config["quick_gelu"] = tag.get("quick_gelu", False)
    repo, _, file = tag.get("hf_hub", "").rpartition("/")
    if not repo:
        raise ModelUnavailable(f"The weights {pretrained} of {model} are on no hub: choose another tag.")
    names = (*_WEIGHTS, *([f"{Path(file).stem}.safetensors"] if file else []))
    folder = hub.fetch(repo, (*names, *_TOKENIZER)).folder
    return _Parts(f"{model}/{pretrained}", config, tag, _weights_in(folder, names, repo), folder)


def _weights_in(folder: Path, names: Sequence[str], model: str) -> Path:
    refuse_pickles(folder, model)
    present = [folder / name for name in names if (folder / name).is_file()] or sorted(folder.glob("*.safetensors"))
    usual = present and present[0].name in names
    if not present or (len(present) > 1 and not usual):
        found = ", ".join(path.name for path in present) or "no .safetensors file"
        raise ModelUnavailable(f"{model} has {found} in {folder}: name the weights {names[0]}.")
    return present[0]


def _with_text(parts: _Parts, hub: Hub) -> _Parts:
    """Find, or fetch, what a text tower or tokenizer of transformers needs."""
    from open_clip.hf_configs import arch_dict

    text = parts.config.get("text_cfg") or {}
    tower, tokenizer = text.get("hf_model_name"), text.get("hf_tokenizer_name")
    if tokenizer:
        here = any(any(parts.folder.glob(name)) for name in _TOKENIZER)
        folder = parts.folder if here else hub.fetch(tokenizer, (*_TOKENIZER, "config.json")).folder
        parts = replace(parts, tokenizer=folder)
    if tower:
        own = parts.folder / "config.json"
        if not own.is_file() or _read_json(own).get("model_type") not in arch_dict:
            own = hub.fetch(tower, ("config.json",)).folder / "config.json"
        kind = _read_json(own).get("model_type")
        if kind not in arch_dict:
            raise ModelUnavailable(
                f"{tower} is a text tower of kind {kind}: open_clip knows {', '.join(arch_dict)} only."
            )
        parts = replace(parts, text_config=own)
    return parts


def _build(parts: _Parts) -> torch.nn.Module:
    """The network with its weights, on the CPU."""
    import open_clip
    from safetensors import SafetensorError

    config = deepcopy(parts.config)
    _refuse_fetching(parts)
    try:
        vision, text = config["vision_cfg"], config["text_cfg"]
        if vision.get("timm_model_name"):
            vision["timm_model_pretrained"] = False
        if parts.text_config:
            text |= {"hf_model_name": str(parts.text_config.parent), "hf_model_pretrained": False}
        custom = config.pop("custom_text", False) or parts.text_config or "multimodal_cfg" in config
        kind = open_clip.CustomTextCLIP if custom else open_clip.CLIP
        network: torch.nn.Module = (open_clip.CoCa if "multimodal_cfg" in config else kind)(**config)
        open_clip.load_checkpoint(network, str(parts.weights), strict=True)
    except (OSError, ValueError, TypeError, KeyError, RuntimeError, AssertionError, SafetensorError) as error:
        raise ModelUnavailable(
            f"{parts.name} cannot be built from {parts.folder} ({type(error).__name__}: {error}): its weights and its "
            "configuration do not belong together, or are damaged; get them again."
        ) from error
    return network


def _refuse_fetching(parts: _Parts) -> None:
    """timm fetches what has an address for a name."""
    vision = parts.config.get("vision_cfg")
    tower = str(vision.get("timm_model_name") or "") if isinstance(vision, dict) else ""
    if ":" in tower or "/" in tower:
        raise ModelUnavailable(f"{parts.name} wants its picture tower fetched from {tower}, which is not supported.")


def _tokenizer(parts: _Parts) -> Callable[[list[str]], torch.Tensor]:
    """From texts to token numbers, shape (n, context length)."""
    import open_clip

    text = parts.config["text_cfg"]
    options: dict[str, Any] = text.get("tokenizer_kwargs") or {}
    if strange := set(options) - _TOKENIZER_OPTIONS:
        raise ModelUnavailable(f"{parts.name} sets {', '.join(strange)} of its tokenizer, which is not supported.")
    context = text.get("context_length", open_clip.tokenizer.DEFAULT_CONTEXT_LENGTH)
    if parts.tokenizer is None:
        plain: Callable[[list[str]], torch.Tensor] = open_clip.tokenizer.SimpleTokenizer(
            context_length=context, clean=options.get("clean", "lower")
        )
        return plain
    try:
        made: Callable[[list[str]], torch.Tensor] = open_clip.tokenizer.HFTokenizer(
            str(parts.tokenizer),
            context_length=context,
            clean=options.get("clean", "whitespace"),
            strip_sep_token=options.get("strip_sep_token", False),
            language=options.get("language"),
            tokenizer_mode=text.get("tokenizer_mode"),
            local_files_only=True,
            trust_remote_code=False,
        )
    except (OSError, ValueError, TypeError, KeyError, ImportError, AssertionError) as error:
        raise ModelUnavailable(
            f"The tokenizer of {parts.name} cannot be read from {parts.tokenizer} ({error}): get it again."
        ) from error
    return made


def _preparation(parts: _Parts, network: torch.nn.Module) -> tuple[Callable[[Image], torch.Tensor], int]:
    """How a picture becomes numbers, and the shorter side in pixels of what is looked at."""
    from open_clip.transform import (
        PreprocessCfg,
        image_transform_v2,
        merge_preprocess_dict,
    )

    size = network.visual.image_size  # type: ignore[union-attr]
    sides: tuple[int, ...] = tuple(size) if isinstance(size, (tuple, list)) else (int(size),)  # type: ignore[arg-type]
    chosen = merge_preprocess_dict(PreprocessCfg(), parts.preprocess) | {"size": size}
    return image_transform_v2(PreprocessCfg(**chosen), is_train=False), min(sides)


def _fingerprint(parts: _Parts) -> str:
    told = json.dumps([parts.config, parts.preprocess], sort_keys=True, default=str)
    tokenizer = sorted(path for name in _TOKENIZER for path in (parts.tokenizer.glob(name) if parts.tokenizer else ()))
    return fingerprint([told, *([parts.text_config] if parts.text_config else []), *tokenizer, parts.weights])


def _read_json(path: Path) -> Mapping[str, Any]:
    try:
        values = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelUnavailable(f"{path} cannot be read ({error}): it is not a model, or damaged.") from error
    if not isinstance(values, dict):
        raise ModelUnavailable(f"{path} holds no settings: it is not a model, or damaged.")
    return values
