"""Drawing in a process that may crash or be stopped: one page or picture for a person, evidence for a model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from haystack_agent.answering.pictures import Picture, PictureWanted
from haystack_agent.errors import ReadFailed
from haystack_agent.media import PlaceOf, medium_of, place_name
from haystack_agent.records import Evidence, Locator, Piece
from ingest.files.lines import one_line
from ingest.workers.scratch import make_scratch

_SECONDS = 60.0
_SECONDS_EACH = 5.0
_PERSON_SIDE = 2400
_MOST_MARKED = 0.4
"""Share of a page above which marks tell nothing and only hide."""
_UNSEEN = 2.0
"""Seconds between two frames that are too many while there is room for another."""


def draw_place(path: Path, media_type: str, locator: Locator, target: Path) -> Path:
    """Draw a page or a picture with its boxes marked as a PNG whose name begins as `target`; the file written.

    Raises:
        ReadFailed: it cannot be drawn, or that takes too long.
    """
    request = {**_request(path, media_type, locator, _PERSON_SIDE), "target": os.fspath(target), "lossless": True}
    [told] = _drawn([request])
    if told["error"]:
        raise ReadFailed(one_line(told["error"]))
    return Path(told["files"][0])


class EvidenceRenderer:
    """Draws evidence from the files in which it was found; see `answering.pictures.Renderer`."""

    def render(self, wanted: Sequence[PictureWanted]) -> list[tuple[Picture, ...]]:
        """See `Renderer.render`."""
        with make_scratch() as scratch:
            requests = [
                {**_evidence_request(one), "target": os.fspath(scratch / str(number))}
                for number, one in enumerate(wanted)
            ]
            drawn = [tuple(map(_bytes, told["files"])) for told in _drawn(requests)]
        return [_labelled(one, request, files) for one, request, files in zip(wanted, requests, drawn, strict=True)]


def _evidence_request(wanted: PictureWanted) -> dict[str, Any]:
    piece = wanted.evidence.piece
    locator = piece.locator if _is_part(wanted.evidence) else Locator(page=piece.locator.page)
    path = next((path for path in map(Path, wanted.evidence.paths) if path.is_file()), Path(wanted.evidence.paths[0]))
    request = _request(path, piece.meta.media_type, locator, wanted.side)
    return {**request, "times": frame_times(piece, wanted.frames)}


def _request(path: Path, media_type: str, locator: Locator, side: int) -> dict[str, Any]:
    boxes = [(box.x0, box.y0, box.x1, box.y1) for box in locator.boxes]
    return {"path": os.fspath(path), "media_type": media_type, "page": locator.page or 1, "boxes": boxes, "side": side}


def _is_part(evidence: Evidence) -> bool:
    """Whether the piece is a part of a page or picture, which is marked, and not most of it."""
    boxes = evidence.piece.locator.boxes
    covered = sum((box.x1 - box.x0) * (box.y1 - box.y0) for box in boxes)
    return medium_of(evidence.piece.modality).place is not PlaceOf.SECOND and 0 < covered < _MOST_MARKED


def frame_times(piece: Piece, most: int) -> list[float]:
    """Seconds of at most so many frames: the key frames, and between them where much time goes by unseen."""
    start = piece.locator.start or 0.0
    end = start if piece.locator.end is None else piece.locator.end
    times = _spread(sorted(piece.key_frames), most) or [start]
    while len(times) < most:
        gap, middle = max((after - before, (before + after) / 2) for before, after in pairwise((start, *times, end)))
        if gap < _UNSEEN:
            break
        times = sorted((*times, middle))
    return times


def _spread(times: Sequence[float], most: int) -> list[float]:
    """At most so many of the times, evenly chosen, the first and the last among them."""
    if len(times) <= most:
        return list(times)
    if most == 1:
        return [times[len(times) // 2]]
    return [times[round(place * (len(times) - 1) / (most - 1))] for place in range(most)]


def _labelled(wanted: PictureWanted, request: Mapping[str, Any], files: Sequence[bytes]) -> tuple[Picture, ...]:
    piece = wanted.evidence.piece
    if medium_of(piece.modality).place is PlaceOf.SECOND:
        return tuple(Picture(file, frame_label(one)) for file, one in zip(files, request["times"], strict=False))
    label = still_label(piece, marked=bool(request["boxes"]))
    return tuple(Picture(file, label) for file in files)


def frame_label(seconds: float) -> str:
    """What a model is told of a frame."""
    return f"frame at {seconds:.1f} s"


def still_label(piece: Piece, marked: bool) -> str:
    """What a model is told of a page or a picture."""
    pages = medium_of(piece.modality).place is PlaceOf.PAGE
    name = place_name(Locator(page=piece.locator.page or 1), piece.meta.media_type) if pages else "the picture"
    return name + (", the passage found is marked in yellow" if marked else "")


def _bytes(name: str) -> bytes:
    return Path(name).read_bytes()


def _drawn(requests: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """An answer for each request in order; what crashes or hangs costs its own pictures only, while there is time."""
    told: list[dict[str, Any]] = []
    deadline = time.monotonic() + _SECONDS + _SECONDS_EACH * len(requests)
    while len(told) < len(requests) and time.monotonic() < deadline:
        told += _process(requests[len(told) :], min(_SECONDS, deadline - time.monotonic()))
        if len(told) < len(requests):
            told.append({"files": [], "error": f"it crashed the program that draws, or took over {_SECONDS:.0f} s"})
    return told + [{"files": [], "error": "there was no time left to draw it"}] * (len(requests) - len(told))


def _process(requests: Sequence[Mapping[str, Any]], limit: float) -> list[dict[str, Any]]:
    """Answers of one process, as far as it came."""
    # -P: a folder called "ingest" where the user stands must not be imported.
    command = [sys.executable, "-P", "-m", "ingest.draw"]
    told = "".join(json.dumps(request) + "\n" for request in requests).encode("ascii")
    try:
        done = subprocess.run(
            command, input=told, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=limit, check=False
        )
        output = done.stdout
    except subprocess.TimeoutExpired as error:
        output = error.stdout or b""
    lines = output.split(b"\n")[:-1]  # the last line was not finished, or is empty
    return [json.loads(line) for line in lines]
