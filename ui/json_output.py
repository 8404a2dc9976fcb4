"""The JSON that scripts rely on: one object a line, valid UTF-8 whatever a file is called."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from haystack_agent.records import Answer, Box, Citation, Evidence, Locator
from ui.printable import path_of

if TYPE_CHECKING:
    from ingest.record.progress import FileCounts, IndexReport, IndexStatus, KeptFolder, Problem

Json = Mapping[str, object]

_ESCAPED = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e0fff]")
"""Left as they are, these would break a line, reorder or hide a part of it, reach a terminal, or not be UTF-8."""


def dumps(value: Json) -> str:
    """One line of JSON; a byte of a file name that is no UTF-8 is a lone surrogate escape, as Python reads names."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return _ESCAPED.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    return json.dumps(match[0])[1:-1] if match[0] > "\x7f" else "\\u007f"


def write(value: Json) -> None:
    """Print one object and flush, so that whoever reads a pipe gets each answer when it is there."""
    sys.stdout.flush()
    sys.stdout.buffer.write(dumps(value).encode() + b"\n")
    sys.stdout.buffer.flush()


def search_object(query: str, evidence: Sequence[Evidence]) -> Json:
    """What ``search --json`` prints."""
    return {"query": query, "evidence": [evidence_object(rank, item) for rank, item in enumerate(evidence, start=1)]}


def answer_object(answer: Answer, by_model: bool = False) -> Json:
    """What ``ask --json`` prints; a citation's rank is its evidence's place among all that was found.

    Of a model's answer it also says which quotations were found in the evidence, and what to know about it.
    """
    citations = [_citation_object(number, item, answer) for number, item in enumerate(answer.citations, start=1)]
    told: Json = {"question": answer.question, "answer": answer.text, "abstained": answer.abstained}
    if not by_model:
        return {**told, "citations": citations, "listed": answer.listed}
    verified = [{**one, "verified": item.verified} for one, item in zip(citations, answer.citations, strict=True)]
    return {**told, "citations": verified, "notes": list(answer.notes)}


def evidence_object(rank: int, item: Evidence, locator: Locator | None = None) -> Json:
    """One piece of evidence, at its own place or a narrower one."""
    place = locator or item.piece.locator
    return {
        "rank": rank,
        "score": item.score,
        "path": os.fspath(path_of(item.paths[0])),
        "modality": item.piece.modality.value,
        "page": place.page,
        "start": place.start,
        "end": place.end,
        "boxes": [_box(box) for box in place.boxes],
        "text": item.piece.text,
        "matched": [
            {"vector": match.vector, "rank": match.rank, "score": match.score, "words": list(match.words)}
            for match in item.matches
        ],
    }


def _citation_object(number: int, citation: Citation, answer: Answer) -> Json:
    places = [item.piece.id for item in answer.evidence]
    own = citation.evidence.piece.id
    rank = places.index(own) + 1 if own in places else number
    return {
        **evidence_object(rank, citation.evidence, citation.locator),
        "quote": citation.quote,
    }


def _box(box: Box) -> list[float]:
    return [box.x0, box.y0, box.x1, box.y1]


def status_object(status: IndexStatus, index: str, notes: Sequence[str]) -> Json:
    """What ``status --json`` prints."""
    return {
        "files": _counts(status.counts),
        "problems": _problems(status.problems),
        "pieces": status.pieces,
        "profile": status.profile,
        "index": index,
        "folders": list(status.roots),
        "notes": list(notes),
        "kept": _kept(status.kept),
        "unremoved": status.unremoved,
        "vectors": asdict(status.vectors),
    }


def report_object(report: IndexReport, index: str) -> Json:
    """What ``index --json`` prints."""
    return {
        "files": _counts(report.counts),
        "problems": _problems(report.problems),
        "pieces": report.pieces,
        "index": index,
        "read": report.read,
        "moved": report.moved,
        "removed": report.removed,
        "interrupted": report.interrupted,
        "seconds": round(report.seconds, 3),
        "kept": _kept(report.kept),
    }


def _kept(kept: Sequence[KeptFolder]) -> list[Json]:
    return [{"folder": os.fspath(path_of(one.path)), "files": one.files} for one in kept]


def _counts(counts: FileCounts) -> Json:
    return {"indexed": counts.indexed, "failed": counts.failed, "skipped": counts.skipped}


def _problems(problems: Sequence[Problem]) -> list[Json]:
    return [
        {"path": os.fspath(path_of(problem.path)), "state": problem.state, "reason": problem.reason}
        for problem in problems
    ]
