"""Any sentence encoder that sentence-transformers can load: its files fetched by `hub`, its prompts respected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

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
from haystack_agent.errors import ModelUnavailable
from haystack_agent.vectors import FloatArray

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modality_types import SingleInput

_KINDS = ("*.json", "*.txt", "*.model", "*.safetensors")
_LEFT_OUT = ("onnx/*", "openvino/*", ".*")
"""The same weights for other programs."""
_PASSAGE_PROMPTS = ("document", "passage", "corpus")
"""Names under which models keep the prompt of what is searched, best first; that of a question is ``query``."""


class SentenceTower:
    """A sentence encoder: questions and passages to unit vectors in one space."""

    def __init__(
        self,
        model: str,
        *,
        hub: Hub,
        device: str | None = None,
        batch: int = 32,
        prompts: tuple[str, str] | None = None,
    ) -> None:
        """Load a model, after fetching what of it is not here.

        `model` is the name of a repository (``owner/name``, ``hf-hub:`` before it or not) or a folder (beginning with
        ``/``, ``.`` or ``~``, or ``local-dir:`` before it). `batch` texts are computed at once.
        `prompts` are what goes before a question and before a passage, instead of what the model's own settings name:
        some models need them and do not say so (``("query: ", "passage: ")`` for multilingual-e5).

        Raises:
            UsageError: `model` is neither, or there is no such device.
            ModelUnavailable: files are missing, damaged, or would run code; or they cannot be fetched.
        """
        folder = _folder(model, hub)
        self.name = model
        self._batch = batch
        self._model = _load(folder, model, pick_device(device))
        # A model that sees fetches addresses and opens files that are given as text, unless told that it is text.
        self._says_text = self._model.modalities != ["text"]
        self._query_prompt, self._passage_prompt = prompts or _prompts(self._model)
        self.dimension = int(self._model.get_embedding_dimension() or self.encode_query("a").shape[0])
        self.fingerprint = _fingerprint(folder, prompts)

    def encode_passages(self, texts: Sequence[str]) -> FloatArray:
        """Encode passages to an array of shape (len(texts), dimension) with rows of length 1; long ones are cut off."""
        if not texts:
            return np.empty((0, self.dimension), np.float32)
        with mixed_precision(self._model.device):
            vectors = self._model.encode_document(
                self._inputs(texts),
                prompt=self._passage_prompt,
                batch_size=self._batch,
                show_progress_bar=False,
                convert_to_tensor=True,
            )
        return unit_rows(vectors, self.name)

    def encode_query(self, text: str) -> FloatArray:
        """Encode a question to an array of shape (dimension,) and length 1."""
        with mixed_precision(self._model.device):
            vectors = self._model.encode_query(
                self._inputs([text]), prompt=self._query_prompt, show_progress_bar=False, convert_to_tensor=True
            )
        row: FloatArray = unit_rows(vectors, self.name)[0]
        return row

    def _inputs(self, texts: Sequence[str]) -> list[SingleInput]:
        clean = [encodable(text) for text in texts]
        return [{"text": text} for text in clean] if self._says_text else [*clean]


def _folder(model: str, hub: Hub) -> Path:
    local = model.removeprefix("local-dir:")
    if local == model and not model.startswith((".", "~")) and not Path(model).is_absolute():
        patterns = (*_KINDS, *(f"!{pattern}" for pattern in _LEFT_OUT))
        return hub.fetch(model.removeprefix("hf-hub:"), patterns).folder
    folder = Path(local).expanduser()
    if not folder.is_dir():
        raise ModelUnavailable(f"There is no folder {folder}: check the name; for a model on a hub write owner/name.")
    refuse_pickles(folder, model)
    return folder


def _load(folder: Path, name: str, device: torch.device) -> SentenceTransformer:
    import torch
    from safetensors import SafetensorError
    from sentence_transformers import SentenceTransformer

    # A GPU computes in the precision the weights were published in; on a CPU anything but float32 is slow.
    dtype = "auto" if device.type == "cuda" else torch.float32
    try:
        with _no_bars():
            model = SentenceTransformer(
                str(folder.resolve()),
                device=str(device),
                trust_remote_code=False,
                local_files_only=True,
                model_kwargs={"use_safetensors": True, "dtype": dtype},
            )
    except (
        OSError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        RuntimeError,
        ImportError,
        SafetensorError,
    ) as error:
        raise ModelUnavailable(_not_loaded(name, folder, error)) from error
    return model.eval()


def _not_loaded(name: str, folder: Path, error: Exception) -> str:
    reason = str(error).splitlines()[0] if str(error) else ""
    return (
        f"{name} cannot be loaded from {folder} ({type(error).__name__}: {reason}): get it again; a model that "
        "is not in the format of sentence-transformers, or brings code of its own, cannot be used."
    )


@contextmanager
def _no_bars() -> Iterator[None]:
    """Loading draws no progress bars of its own over ours."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def _prompts(model: SentenceTransformer) -> tuple[str, str]:
    """What the model's settings put before a question, and before a passage."""
    # sentence-transformers' own encode_document stops at "document", which is always there, and mostly empty.
    passage = next(filter(None, map(model.prompts.get, _PASSAGE_PROMPTS)), None)
    return model.prompts.get("query") or "", passage or ""


def _fingerprint(folder: Path, prompts: tuple[str, str] | None) -> str:
    """Of every file that may have a say, in the order of their names."""
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    chosen = [
        name
        for name in sorted(paths)
        if any(fnmatchcase(name, kind) for kind in _KINDS) and not any(fnmatchcase(name, one) for one in _LEFT_OUT)
    ]
    return fingerprint([*(prompts or ()), *(part for name in chosen for part in (name, paths[name]))])
