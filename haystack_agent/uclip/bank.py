"""Memory banks: many unit vectors of one encoder in a folder, mapped into memory, never loaded whole.

A bank is a folder with ``vectors.f16`` (rows of half-precision numbers, little-endian) and ``bank.json`` (which encoder
made them, how wide they are, how many). Two million rows of 512 take 2 GB on disk.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from haystack_agent.errors import ModelMismatch, ModelUnavailable
from haystack_agent.system.whole_files import replacing
from haystack_agent.vectors import FloatArray

_VECTORS, _CARD = "vectors.f16", "bank.json"
_NUMBER = np.dtype("<f2")
_FORMAT = 1
_NOTHING = "There is nothing to build a bank of: name a folder with pictures, or files with text."


@dataclass(frozen=True, slots=True)
class BankCard:
    """What a bank says of itself."""

    encoder: str
    """Fingerprint of the encoder that made the vectors."""
    width: int
    count: int
    source: str = ""
    """Where the pictures or texts came from, in words."""
    format: int = _FORMAT


@dataclass(frozen=True, slots=True)
class Bank:
    """An opened bank: `vectors` has the shape (count, width) and lies on disk."""

    card: BankCard
    vectors: npt.NDArray[np.float16]

    @classmethod
    def open(cls, folder: Path, encoder: str | None = None, width: int | None = None) -> Bank:
        """Open a bank and, where told, check that the right encoder made it.

        Raises:
            ModelUnavailable: there is none, or it is damaged or cut short.
            ModelMismatch: another encoder made it, or its vectors have another width.
        """
        card = _read_card(folder)
        path = folder / _VECTORS
        wanted = card.count * card.width * _NUMBER.itemsize
        found = path.stat().st_size if path.is_file() else 0
        if found != wanted:
            raise ModelUnavailable(f"The bank {folder} has {found} bytes of vectors, not {wanted}: build it anew.")
        if width is not None and card.width != width:
            raise ModelMismatch(
                f"The bank {folder} holds vectors of width {card.width}, the encoder makes {width}: "
                "build it with the encoder it is to be used with."
            )
        if encoder is not None and card.encoder != encoder:
            raise ModelMismatch(
                f"The bank {folder} was made by {card.encoder}, not by {encoder}: "
                "build it with the encoder it is to be used with."
            )
        return cls(card, np.memmap(path, _NUMBER, "r", shape=(card.count, card.width)))


def build_bank(folder: Path, batches: Iterable[FloatArray], encoder: str, source: str = "") -> Bank:
    """Write a bank from batches of vectors, shape (n, width); a bank that is there is replaced at the end.

    Raises:
        ModelUnavailable: there is no vector, or one is not finite.
        ModelMismatch: two batches differ in width.
    """
    folder.mkdir(parents=True, exist_ok=True)
    width = count = 0
    with replacing(folder / _VECTORS) as draft:
        with draft.open("wb") as file:
            for batch in batches:
                width = width or batch.shape[1]
                file.write(_rows(batch, width))
                count += len(batch)
            file.flush()
            os.fsync(file.fileno())
        if not count:
            raise ModelUnavailable(_NOTHING)
        (folder / _CARD).unlink(missing_ok=True)  # a card beside other vectors would lie
    card = BankCard(encoder, width, count, source)
    (folder / _CARD).write_text(json.dumps(asdict(card), ensure_ascii=False, indent=1) + "\n", "utf-8")
    return Bank.open(folder)


def _rows(batch: FloatArray, width: int) -> bytes:
    if batch.shape[1] != width:
        raise ModelMismatch(f"a bank of width {width} cannot take vectors of width {batch.shape[1]}")
    lengths = np.linalg.norm(batch, axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or not lengths.all():
        raise ModelUnavailable("The encoder made a vector that is zero or not finite: its weights are damaged.")
    rows: bytes = (batch / lengths).astype(_NUMBER).tobytes()
    return rows


def _read_card(folder: Path) -> BankCard:
    try:
        values = json.loads((folder / _CARD).read_text("utf-8"))
        card = BankCard(**values)
        sound = card.format == _FORMAT and card.width > 0 and card.count > 0
    except FileNotFoundError:
        raise ModelUnavailable(f"There is no bank in {folder}: make one with `haystack-agent uclip bank`.") from None
    except (OSError, ValueError, TypeError) as error:
        raise ModelUnavailable(f"The bank {folder} cannot be read ({error}): build it anew.") from error
    if not sound:
        raise ModelUnavailable(f"The bank {folder} is empty or of format {card.format}, not {_FORMAT}: build it anew.")
    return card
