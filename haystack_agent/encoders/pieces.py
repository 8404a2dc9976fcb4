"""Pieces to points: which text each vector of a piece is made of."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import PurePath

from haystack_agent.encoders import bm25
from haystack_agent.encoders.protocols import FloatArray, TextEncoder
from haystack_agent.records import AssetMeta, Piece, PieceKind
from haystack_agent.store.protocol import IndexedPiece, VectorName
from haystack_agent.text.language import detect_language

_FOLDERS_SEARCHED = 2
_WORD_BREAKS = re.compile(r"[_\-.+]+|(?<=[a-z])(?=[A-Z])")
_CONTEXT_SHOWN = 160
_LOOKS = {PieceKind.IMAGE: "photo, picture", PieceKind.SEGMENT: "video clip"}


class PieceEncoder:
    """Gives pieces their language and vectors."""

    def __init__(self, load: Callable[[], TextEncoder]) -> None:
        """Take a function that loads the sentence encoder; it is called when the first text is encoded."""
        self._load = load
        self._text_encoder: TextEncoder | None = None

    def encode(self, pieces: Sequence[tuple[Piece, tuple[str, ...], datetime]]) -> list[IndexedPiece]:
        """Encode pieces given with the paths of their asset and its file's change time; order is kept."""
        indexed = [
            IndexedPiece(clean, paths, modified, bm25=_sparse(clean, paths))
            for clean, paths, modified in (
                (_with_language(piece), paths, modified) for piece, paths, modified in pieces
            )
        ]
        texts = {place: dense_text(item.piece) for place, item in enumerate(indexed)}
        places = [place for place, text in texts.items() if text]
        for place, vector in zip(places, self._encode([texts[place] for place in places]), strict=True):
            indexed[place] = replace(indexed[place], dense=((VectorName.TEXT, vector),))
        return indexed

    def _encode(self, texts: list[str]) -> Sequence[FloatArray]:
        if not texts:
            return ()
        if self._text_encoder is None:
            self._text_encoder = self._load()
        return tuple(self._text_encoder.encode_passages(texts))

    def refresh(self, indexed: IndexedPiece, paths: tuple[str, ...], modified: datetime) -> IndexedPiece:
        """The same piece found at other paths: names are part of BM25, the dense vectors stay."""
        return replace(indexed, paths=paths, modified=modified, bm25=_sparse(indexed.piece, paths))


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
