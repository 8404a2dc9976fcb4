"""Pieces to points: which text each vector of a piece is made of."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePath

import numpy as np

from haystack_agent.encoders import bm25
from haystack_agent.encoders.bundle import Encoders, Sight
from haystack_agent.encoders.profile import profile_of_index
from haystack_agent.records import AssetMeta, Piece, PieceKind
from haystack_agent.store.values import IndexedPiece, VectorName
from haystack_agent.text.language import detect_language
from haystack_agent.vectors import FloatArray, Pixels, TextEncoder

_FOLDERS_SEARCHED = 2
_WORD_BREAKS = re.compile(r"[_\-.+]+|(?<=[a-z])(?=[A-Z])")
_CONTEXT_SHOWN = 160
_LOOKS = {PieceKind.IMAGE: "photo, picture", PieceKind.SEGMENT: "video clip"}


@dataclass(frozen=True, slots=True)
class NewPiece:
    """A piece as it was read, with the paths of its asset, its file's change time, and what it looks like."""

    piece: Piece
    paths: tuple[str, ...]
    modified: datetime
    looks: tuple[Pixels, ...] = ()


class PieceEncoder:
    """Gives pieces their language and vectors. One that knows its profile's name can be sent to another process."""

    def __init__(self, load: Callable[[], Encoders], profile: str | None = None) -> None:
        """Take a function that loads the encoders; it is called when the first text or picture is encoded.

        `profile` names the profile that they belong to.
        """
        self._load = load
        self._profile = profile
        self._loaded: Encoders | None = None

    def __reduce__(self) -> tuple[Callable[[str], PieceEncoder], tuple[str]]:
        """What is sent is the name: the encoders are loaded anew where they are needed.

        Raises:
            TypeError: it knows no name.
        """
        if self._profile is None:
            raise TypeError("an encoder without the name of its profile cannot be sent to another process: give it one")
        return encoder_of, (self._profile,)

    def encode(self, pieces: Sequence[NewPiece]) -> list[IndexedPiece]:
        """Encode pieces; order is kept."""
        indexed = [_indexed(new) for new in pieces]
        texts = {place: text for place, item in enumerate(indexed) if (text := dense_text(item.piece))}
        looks = {place: new.looks for place, new in enumerate(pieces) if new.looks}
        if not texts and not looks:
            return indexed
        if self._loaded is None:
            self._loaded = self._load()
        vectors = _text_vectors(self._loaded.text, texts)
        sights = _sight_vectors(self._loaded.sight, texts, vectors, looks) if self._loaded.sight else {}
        for place, item in enumerate(indexed):
            named = ((VectorName.TEXT, vectors.get(place)), (VectorName.UCLIP, sights.get(place)))
            dense = tuple((name, vector) for name, vector in named if vector is not None)
            indexed[place] = replace(item, dense=dense)
        return indexed

    def refresh(self, indexed: IndexedPiece, paths: tuple[str, ...], modified: datetime) -> IndexedPiece:
        """The same piece found at other paths: names are part of BM25, the dense vectors stay."""
        return replace(indexed, paths=paths, modified=modified, bm25=_sparse(indexed.piece, paths))


def encoder_of(profile: str) -> PieceEncoder:
    """The encoder of the profile that an index names.

    Raises:
        IndexMismatch: this version knows no such profile, or its file is gone.
        ModelUnavailable: its models are missing or damaged.
    """
    return PieceEncoder(profile_of_index(profile).load, profile)


def _indexed(new: NewPiece) -> IndexedPiece:
    clean = _with_language(new.piece)
    return IndexedPiece(clean, new.paths, new.modified, bm25=_sparse(clean, new.paths))


def _text_vectors(encoder: TextEncoder, texts: Mapping[int, str]) -> dict[int, FloatArray]:
    return dict(zip(texts, encoder.encode_passages(list(texts.values())), strict=True)) if texts else {}


def _sight_vectors(
    sight: Sight, texts: Mapping[int, str], vectors: Mapping[int, FloatArray], looks: Mapping[int, tuple[Pixels, ...]]
) -> dict[int, FloatArray]:
    """Pictures through the CLIP's head; pieces that are text alone through the head of the sentence encoder."""
    unseen = [place for place in texts if place not in looks]
    found = {place: sight.of_looks(some) for place, some in looks.items()}
    if unseen:
        projected = sight.of_texts([texts[place] for place in unseen], np.stack([vectors[place] for place in unseen]))
        found |= dict(zip(unseen, projected, strict=True))
    return found


def describe(meta: AssetMeta) -> str:
    """The words of the metadata that a person may search for, one line."""
    created = meta.created.strftime("%Y-%m-%d") if meta.created else ""
    parts = (meta.title, meta.caption, ", ".join(meta.keywords), meta.place, meta.author, meta.camera, created)
    return " · ".join(part for part in parts if part)


def names_of(paths: Sequence[str]) -> str:
    """The words of file names and of the folders around them."""
    words: list[str] = []
    for path in paths:
        pure = PurePath(path)
        parts = (*pure.parent.parts[-_FOLDERS_SEARCHED:], pure.stem)
        words.extend(_WORD_BREAKS.sub(" ", part) for part in parts)
    return " ".join(dict.fromkeys(words))


def dense_text(piece: Piece) -> str:
    """What the sentence encoder reads of a piece: a whole page is left to its passages, which fit its window."""
    if piece.kind is PieceKind.PAGE:
        return ""
    about = piece.heading or piece.meta.title
    if piece.kind in _LOOKS:
        about = ", ".join(part for part in (_look(piece), about, "text" if piece.text else "") if part)
    text = piece.text if piece.text.strip() else describe(piece.meta)
    return f"{about[:_CONTEXT_SHOWN]}: {text}" if about and text else about or text


def _look(piece: Piece) -> str:
    """What a picture or clip is, in words: a text of two letters alone says nothing to a sentence encoder."""
    if piece.kind not in _LOOKS:
        return ""
    return f"{_LOOKS[piece.kind]}, {' and '.join(piece.colours)}" if piece.colours else _LOOKS[piece.kind]


def _sparse(piece: Piece, paths: tuple[str, ...]) -> bm25.SparseVector:
    context = " · ".join((piece.heading, describe(piece.meta), names_of(paths), _look(piece)))
    return bm25.encode_passage(piece.text, context)


def _with_language(piece: Piece) -> Piece:
    language = piece.language or detect_language(piece.text)
    return replace(piece, text=_storable(piece.text), heading=_storable(piece.heading), language=language)


def _storable(text: str) -> str:
    """Text without lone surrogates, which broken fonts yield and UTF-8 refuses; every offset stays."""
    return text.encode("utf-8", "replace").decode("utf-8")
