"""What a model is shown of evidence, drawn by a process that stays warm and kept for whoever is shown the same next."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from haystack_agent.answering.pictures import Picture, PictureWanted
from haystack_agent.errors import ReadFailed
from haystack_agent.media import PlaceOf, medium_of
from ingest.draw.drawing import frame_label, frame_times, still_label
from ui.web.state.drawing_lane import DrawingLane, Sketch

_MOST_MARKED = 0.4
"""Share of a page above which marks tell nothing and only hide."""


class WarmRenderer:
    """A `Renderer` that starts no process of its own."""

    def __init__(self, lane: DrawingLane) -> None:
        self._lane = lane

    def render(self, wanted: Sequence[PictureWanted]) -> list[tuple[Picture, ...]]:
        """See `Renderer.render`."""
        return [self._pictures(one) for one in wanted]

    def _pictures(self, wanted: PictureWanted) -> tuple[Picture, ...]:
        pictures = []
        for sketch, label in _sketches(wanted):
            try:
                pictures.append(Picture(self._lane.jpeg_now(sketch), label))
            except ReadFailed:
                # A text has no look, and a file may be gone: the model is given the words alone.
                break
        return tuple(pictures)


def _sketches(wanted: PictureWanted) -> list[tuple[Sketch, str]]:
    piece, paths = wanted.evidence.piece, wanted.evidence.paths
    path = next((path for path in map(Path, paths) if path.is_file()), Path(paths[0]))
    media_type, side = piece.meta.media_type, wanted.side
    if medium_of(piece.modality).place is PlaceOf.SECOND:
        times = frame_times(piece, wanted.frames)
        return [(Sketch(path, media_type, side, seconds=one), frame_label(one)) for one in times]
    boxes = tuple((box.x0, box.y0, box.x1, box.y1) for box in piece.locator.boxes)
    covered = sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in boxes)
    marks = boxes if covered < _MOST_MARKED else ()
    page = piece.locator.page or 1
    return [(Sketch(path, media_type, side, page, boxes=marks), still_label(piece, marked=bool(marks)))]
