"""The encoders of the pictogram experiment: a sentence encoder for a hundred languages and a CLIP, a few MB together.

Both were trained on emoji and Unicode's names for them (`eval.pictogram`). An encoder is a folder with the files
``model.safetensors`` (half precision), ``tokenizer.json`` and ``config.json``; the last holds the digests of the first
two, so that a damaged file is never loaded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from haystack_agent.encoders.threads import yield_when_idle
from haystack_agent.errors import ModelUnavailable
from haystack_agent.text.fold import fold
from haystack_agent.vectors import FloatArray

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image
    from tokenizers import Tokenizer

_CONFIG, _WEIGHTS, _TOKENIZER = "config.json", "model.safetensors", "tokenizer.json"
_FORMAT = 1
_MAX_TOKENS = 256
_BATCH = 256
EMBEDDING = "embedding"
"""The one tensor of the sentence encoder: a row for each token."""


class PictogramText:
    """Sentence vectors: the mean direction of the vectors of a text's subwords. Needs numpy only."""

    def __init__(self, folder: Path) -> None:
        """Load the encoder.

        Raises:
            ModelUnavailable: files are missing or damaged.
        """
        config = _read_config(folder)
        self._tokenizer = _load_tokenizer(folder)
        self._rows = _load_tensors(folder)[EMBEDDING].astype(np.float32)
        self.fingerprint = _fingerprint(config)

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._rows.shape[1])

    def encode_passages(self, texts: Sequence[str]) -> FloatArray:
        """Encode texts to an array of shape (len(texts), dimension), rows of length 1; beyond 256 tokens cut off."""
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for first in range(0, len(texts), _BATCH):
            tokens = text_tokens(self._tokenizer, texts[first : first + _BATCH])
            starts = np.cumsum([0, *map(len, tokens[:-1])])
            vectors[first : first + _BATCH] = np.add.reduceat(self._rows[np.concatenate(tokens)], starts, axis=0)
        unit: FloatArray = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return unit

    def encode_query(self, text: str) -> FloatArray:
        """Encode a question to an array of shape (dimension,) and length 1."""
        vector: FloatArray = self.encode_passages([text])[0]
        return vector


class PictogramClip:
    """A very small CLIP for pictures of 64 x 64 pixels and for English."""

    def __init__(self, folder: Path) -> None:
        """Load the towers; this imports torch and open_clip.

        Raises:
            ModelUnavailable: files are missing or damaged.
        """
        yield_when_idle()
        import torch

        config = _read_config(folder)
        self._tokenizer = _load_tokenizer(folder)
        tensors = {name: torch.from_numpy(values).float() for name, values in _load_tensors(folder).items()}
        self._model = make_clip(config["towers"])
        self._model.load_state_dict(tensors)
        self._model.eval()
        self._config = config
        self.fingerprint = _fingerprint(config)

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._config["towers"]["embed_dim"])

    @property
    def image_size(self) -> int:
        """Side in pixels at which it looks at a picture."""
        return int(self._config["towers"]["vision_cfg"]["image_size"])

    def encode_images(self, images: Sequence[Image]) -> FloatArray:
        """Encode the middle squares of pictures to an array of shape (len(images), dimension), rows of length 1."""
        import torch
        from PIL import Image as Pictures
        from PIL import ImageOps

        size = (self.image_size, self.image_size)
        vectors = np.empty((len(images), self.dimension), dtype=np.float32)
        with torch.inference_mode():
            for first in range(0, len(images), _BATCH):
                squares = [
                    np.asarray(ImageOps.fit(image.convert("RGB"), size, Pictures.Resampling.BICUBIC))
                    for image in images[first : first + _BATCH]
                ]
                pixels = torch.from_numpy(np.stack(squares)).permute(0, 3, 1, 2).float() / 255
                vectors[first : first + _BATCH] = self._model.encode_image(normalised(pixels), normalize=True).numpy()
        return vectors

    def encode_texts(self, texts: Sequence[str]) -> FloatArray:
        """Encode English texts to an array of shape (len(texts), dimension), rows of length 1."""
        import torch

        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        context = int(self._config["towers"]["text_cfg"]["context_length"])
        with torch.inference_mode():
            for first in range(0, len(texts), _BATCH):
                tokens = clip_tokens(self._tokenizer, texts[first : first + _BATCH], context)
                vectors[first : first + _BATCH] = self._model.encode_text(tokens, normalize=True).numpy()
        return vectors


def make_clip(towers: Mapping[str, Any]) -> Any:
    """open_clip's own CLIP with random weights; `towers` holds its `embed_dim`, `vision_cfg` and `text_cfg`."""
    from open_clip.model import CLIP

    return CLIP(towers["embed_dim"], dict(towers["vision_cfg"]), dict(towers["text_cfg"]))


def normalised(pixels: torch.Tensor) -> torch.Tensor:
    """Values from 0 to 1 as the picture tower wants them."""
    return (pixels - 0.5) / 0.25


def text_tokens(tokenizer: Tokenizer, texts: Sequence[str]) -> list[npt.NDArray[np.int64]]:
    """Token numbers of each text, folded first; at least one each: a text without any gets the unknown token, 0."""
    clean = [fold(text.encode("utf-8", "replace").decode()) for text in texts]
    return [np.array(one.ids[:_MAX_TOKENS] or [0], dtype=np.int64) for one in tokenizer.encode_batch(clean)]


def clip_tokens(tokenizer: Tokenizer, texts: Sequence[str], context: int) -> torch.Tensor:
    """Token numbers of shape (len(texts), context): the end token, which has the highest number, then zeros."""
    import torch

    end = tokenizer.get_vocab_size() - 1
    tokens = torch.zeros(len(texts), context, dtype=torch.long)
    clean = [text.casefold().encode("utf-8", "replace").decode() for text in texts]
    for row, encoding in zip(tokens, tokenizer.encode_batch(clean), strict=True):
        ids = [*encoding.ids[: context - 1], end]
        row[: len(ids)] = torch.tensor(ids)
    return tokens


def save_encoder(
    folder: Path, tensors: Mapping[str, torch.Tensor], tokenizer: Tokenizer, about: Mapping[str, Any]
) -> None:
    """Write an encoder in half precision; its `config.json`, without which it cannot be opened, comes last."""
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    (folder / _CONFIG).unlink(missing_ok=True)
    halves = {name: one.half() if one.is_floating_point() else one for name, one in tensors.items()}
    (folder / _WEIGHTS).write_bytes(save({name: one.detach().contiguous() for name, one in halves.items()}))
    (folder / _TOKENIZER).write_text(tokenizer.to_str(), "utf-8")
    digests = {name: _digest(folder / name) for name in (_WEIGHTS, _TOKENIZER)}
    config = {"format": _FORMAT, **about, "sha256": digests}
    (folder / _CONFIG).write_text(json.dumps(config, ensure_ascii=False, indent=1) + "\n", "utf-8")


def _read_config(folder: Path) -> dict[str, Any]:
    try:
        config: dict[str, Any] = json.loads((folder / _CONFIG).read_text("utf-8"))
        sound = {name: _digest(folder / name) == config["sha256"][name] for name in (_WEIGHTS, _TOKENIZER)}
        if config["format"] != _FORMAT:
            raise ModelUnavailable(f"The encoder {folder} has format {config['format']}, this version reads {_FORMAT}.")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelUnavailable(f"The encoder {folder} cannot be read ({error}): get it or train it again.") from error
    damaged = [name for name, whole in sound.items() if not whole]
    if damaged:
        raise ModelUnavailable(f"The encoder {folder} is damaged ({', '.join(damaged)}): get it or train it again.")
    return config


def _load_tensors(folder: Path) -> dict[str, npt.NDArray[Any]]:
    from safetensors.numpy import load_file

    tensors: dict[str, npt.NDArray[Any]] = load_file(folder / _WEIGHTS)
    return tensors


def _load_tokenizer(folder: Path) -> Tokenizer:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(folder / _TOKENIZER))


def _fingerprint(config: Mapping[str, Any]) -> str:
    """Changes with the weights and with the tokens they stand for."""
    joined = "".join(config["sha256"][name] for name in (_WEIGHTS, _TOKENIZER))
    return hashlib.sha256(joined.encode()).hexdigest()[:16]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
