"""What the towers share: where they compute, how their vectors leave them, and which files they trust."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from haystack_agent.encoders.threads import yield_when_idle
from haystack_agent.errors import ModelUnavailable, UsageError
from haystack_agent.vectors import FloatArray

if TYPE_CHECKING:
    import torch

_DATA_SUFFIXES = frozenset({".safetensors", ".json", ".txt", ".model"})
_PICKLE_SUFFIXES = frozenset({".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle"})


def pick_device(name: str | None = None) -> torch.device:
    """The device of that name (``cpu``, ``cuda``, ``cuda:1``, ``mps``); the fastest there is, if ``None``.

    Raises:
        UsageError: there is no such device here.
    """
    yield_when_idle()
    import torch

    present = ["cuda"] * torch.cuda.is_available() + ["mps"] * torch.backends.mps.is_available() + ["cpu"]
    wanted, _, number = (name or present[0]).partition(":")
    known = not number or (wanted == "cuda" and number.isdecimal() and int(number) < torch.cuda.device_count())
    if wanted not in present or not known:
        raise UsageError(f"there is no device {name!r} here: choose one of {', '.join(present)}")
    return torch.device(name or present[0])


def mixed_precision(device: torch.device) -> AbstractContextManager[object]:
    """Where bfloat16 is fast, compute in it what loses nothing by it; elsewhere nothing changes."""
    import torch

    if device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.autocast("cuda", torch.bfloat16)
    return nullcontext()


def unit_rows(vectors: torch.Tensor, name: str) -> FloatArray:
    """Vectors, shape (n, d) on any device and of any precision, as float32 rows of length 1.

    Raises:
        ModelUnavailable: one of them is zero or not finite.
    """
    rows = vectors.float()
    lengths = rows.norm(dim=1, keepdim=True)
    if not bool(lengths.isfinite().all()) or not bool((lengths > 0).all()):
        raise ModelUnavailable(
            f"{name} made a vector that is zero or not finite: its weights are damaged, get them again."
        )
    unit: FloatArray = (rows / lengths).cpu().numpy()
    return unit


def encodable(text: str) -> str:
    """The text without lone surrogates, which file names can bring along and tokenizers refuse."""
    return text.encode("utf-8", "replace").decode("utf-8")


def is_data(path: str) -> bool:
    """Whether a path of a repository is a file that cannot run code, inside the folder on every system."""
    parts = path.split("/")
    safe = not any(part in {"", ".", ".."} or "\\" in part or ":" in part or "\0" in part for part in parts)
    return safe and PurePosixPath(path).suffix in _DATA_SUFFIXES


def is_pickle(path: str) -> bool:
    """Whether a path is that of weights that can run code when they are read."""
    return PurePosixPath(path).suffix.lower() in _PICKLE_SUFFIXES


def refuse_pickles(folder: Path, name: str) -> None:
    """Refuse a model of which some part has its weights as a pickle only.

    Raises:
        ModelUnavailable: a folder in it holds such a file and no safetensors.
    """
    for path in sorted(folder.rglob("*")):
        elsewhere = path.parent.name in {"onnx", "openvino"}  # the same weights for other programs, never read here
        if is_pickle(path.name) and not elsewhere and not any(path.parent.glob("*.safetensors")):
            raise ModelUnavailable(pickle_refusal(name, path.relative_to(folder).as_posix()))


def pickle_refusal(name: str, file: str) -> str:
    """What to say of a model whose weights are a pickle."""
    return (
        f"{name} has its weights as {file}, a format that can run code when it is read, and not as safetensors: choose "
        "a model with a .safetensors file, or convert it."
    )


def check_digest(path: Path, digest: str, name: str) -> None:
    """Delete a file that is not what the hub says: ``sha256:`` of its bytes, or ``git:`` and its blob's SHA-1.

    Raises:
        ModelUnavailable: it is not.
    """
    kind, _, wanted = digest.partition(":")
    head = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as file:
        found = hashlib.file_digest(file, hashlib.sha256 if kind == "sha256" else lambda: head).hexdigest()
    if found != wanted:
        path.unlink()
        raise ModelUnavailable(
            f"{name} arrived with the digest {found}, not {wanted}: it was damaged on its way and is deleted. Try "
            "again; if that does not help, do not use this hub or proxy."
        )


def fingerprint(parts: Sequence[str | Path]) -> str:
    """The first 16 hexadecimal digits of the SHA-256 over texts and the bytes of files, in that order.

    Raises:
        ModelUnavailable: a file cannot be read.
    """
    whole = hashlib.sha256()
    for part in parts:
        # Each part goes in as its own digest, so that no bytes can wander from one part to the next.
        whole.update(hashlib.sha256(part.encode()).digest() if isinstance(part, str) else _sha256(part))
    return whole.hexdigest()[:16]


def _sha256(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        raise ModelUnavailable(f"{path} cannot be read ({error.strerror}): get the model again.") from error
