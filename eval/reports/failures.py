"""Questions whose right file did not come first, and what came in its place."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.questions import Question
from eval.reports.tables import leading
from eval.runs.outcomes import Outcomes
from eval.runs.retrievers import Ranked
from haystack_agent.answering.pictures import PictureWanted, Renderer
from haystack_agent.errors import ReadFailed
from haystack_agent.media import PlaceOf, medium_of_type
from haystack_agent.records import AssetMeta, Evidence, Locator, Piece
from ingest.files.sniff import HEAD_BYTES, sniff

_SIDE = 360
_BATCH = 16


@dataclass(frozen=True, slots=True)
class Failure:
    """What was asked, and what was found first instead."""

    question: Question
    rank: int | None
    """Of the right file."""
    found: Ranked | None


def failures(run: Outcomes) -> list[Failure]:
    """Of the leading system, in the order of the questions."""
    made = []
    system = leading(run)
    rankings = run.rankings(system)
    for key, question in run.answerable.items():
        files = rankings.get(key, [])
        rank = next((rank for rank, file in enumerate(files, start=1) if file in question.evidence), None)
        if rank != 1:
            places = run.places[system].get(key, ())
            made.append(Failure(question, rank, places[0] if places else None))
    return made


def thumbnails(shown: Sequence[Failure], pool: Path, renderer: Renderer, folder: Path) -> dict[tuple[str, str], str]:
    """Draw what was expected and what was found, once each; file names in `folder` by question and side.

    What has no look, or cannot be drawn any more, is left out.
    """
    places = {(one.question.id, side): place for one in shown for side, place in _sides(one)}
    names: dict[tuple[str, str], str] = {}
    todo: list[tuple[str, Evidence]] = []
    for key, place in places.items():
        name = hashlib.blake2b(repr(place).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest() + ".jpg"
        names[key] = name
        if not (folder / name).exists() and name not in dict(todo) and (evidence := _evidence(place, pool)):
            todo.append((name, evidence))
    folder.mkdir(parents=True, exist_ok=True)
    for start in range(0, len(todo), _BATCH):
        batch = todo[start : start + _BATCH]
        for (name, _), pictures in zip(
            batch, renderer.render([PictureWanted(one, _SIDE) for _, one in batch]), strict=True
        ):
            if pictures:
                (folder / name).write_bytes(pictures[0].jpeg)
    return {key: name for key, name in names.items() if (folder / name).exists()}


def _sides(failure: Failure) -> Iterator[tuple[str, Ranked]]:
    question = failure.question
    start, end = question.time or (None, None)
    yield "expected", Ranked(question.evidence[0], 0.0, question.page, start, end)
    if failure.found is not None:
        found = failure.found
        yield "found", Ranked(found.file, 0.0, found.page, found.start, found.end)


def _evidence(place: Ranked, pool: Path) -> Evidence | None:
    """The place as evidence that can be drawn; what a run's folder says of files is held against the pool."""
    path = (pool / place.file).resolve()
    try:
        if not path.is_relative_to(pool.resolve()) or not path.is_file():
            return None
        with path.open("rb") as file:
            media_type = sniff(path, file.read(HEAD_BYTES))
    except (ReadFailed, OSError):
        return None
    if media_type is None:
        return None
    medium = medium_of_type(media_type)
    start = (place.start or 0.0) if medium.place is PlaceOf.SECOND else None
    locator = Locator(page=place.page, start=start, end=place.end)
    piece = Piece("", medium.whole, medium.modality, 0, locator, "", AssetMeta(media_type))
    return Evidence(piece, (str(path),), 0.0)
