"""The right evidence of a question, as if retrieval had found it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from eval.questions import Question
from haystack_agent.engine import Engine
from haystack_agent.index_files import IndexFiles
from haystack_agent.index_location import IndexLocation
from haystack_agent.records import Evidence, Piece, PieceKind
from ingest.record.manifest import Manifest

_MOST = 8
"""Places given of a file of which the question does not say where in it."""
_WHOLE = frozenset({PieceKind.PAGE, PieceKind.IMAGE, PieceKind.SEGMENT})
_NEAR = 0.5


class GoldEvidence:
    """Finds the pieces of the files that answer."""

    def __init__(self, engine: Engine, location: IndexLocation, pool: Path) -> None:
        self._engine = engine
        self._pool = pool
        manifest = Manifest(IndexFiles(location.path).manifest, reading=True)
        try:
            self._assets = {str(row.path): row.asset_id for row in manifest.files() if row.asset_id}
        finally:
            manifest.close()

    def of(self, question: Question) -> list[Evidence]:
        """The place that answers, or the first places of the file; none where the file could not be read."""
        found: list[Evidence] = []
        for name in question.evidence[:1]:
            asset = self._assets.get(str(self._pool / name))
            stored = self._engine.pieces([asset]) if asset else []
            paths = stored[0].paths if stored else ()
            pieces = [one.piece for one in stored]
            found += [_evidence(place, paths) for place in _places(_named(pieces, question))]
        return found[:_MOST]


def _named(pieces: Sequence[Piece], question: Question) -> list[Piece]:
    """Pieces at the page or the time that the question names, or all where none is there."""
    if question.page is not None:
        at = [one for one in pieces if (one.locator.page or 1) == question.page]
    elif question.time is not None:
        first, last = question.time
        at = [
            one
            for one in pieces
            if (one.locator.start or 0) <= last + _NEAR and (one.locator.end or first) >= first - _NEAR
        ]
    else:
        at = []
    return at or list(pieces)


def _places(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    """Pieces by place, the whole page, picture or segment first."""
    places: dict[tuple[int | None, float | None], list[Piece]] = {}
    for one in sorted(pieces, key=lambda one: (one.kind not in _WHOLE, one.index)):
        places.setdefault((one.locator.page, one.locator.start), []).append(one)
    yield from sorted(places.values(), key=lambda group: (group[0].locator.page or 0, group[0].locator.start or 0.0))


def _evidence(place: Sequence[Piece], paths: tuple[str, ...]) -> Evidence:
    return Evidence(place[0], paths, 1.0, neighbours=tuple(place[1:]))
