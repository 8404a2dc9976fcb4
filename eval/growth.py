"""Recall and cost against the size of the pool: ``python -m eval.growth HAYSTACK OUT --sizes 100 1000 10000 46000``.

A made haystack (see `eval.haystack`) is laid out and indexed up to each size in turn, in one index that grows, and the
questions that the smallest pool answers are asked at each. What was measured stays in OUT: running it again goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from eval.datasets.dataset import DataSet
from eval.measures.ranking import RankingMeasure
from eval.questions import Question, read_questions
from eval.reports.plots import over_size
from eval.runs.names import Condition, System
from eval.runs.outcomes import read_outcomes
from eval.runs.run import RunOptions, run
from haystack_agent.errors import HaystackError, UsageError
from haystack_agent.index_location import IndexLocation
from haystack_agent.system.whole_files import replacing, write_whole
from ingest.draw.drawing import EvidenceRenderer
from ingest.indexing import index, status

ITEMS = "items.jsonl"
SYSTEMS = (System.OURS, System.BM25, System.DENSE, System.RRF)


@dataclass(frozen=True, slots=True)
class Measured:
    """What a size came to."""

    files: int
    pieces: int
    read: int
    """Files that the last run of the indexer read: those added to the size before, less where a run was interrupted."""
    read_seconds: float
    """How long that run took."""
    recall_1: dict[str, float]
    recall_5: dict[str, float]
    search_ms: dict[str, float]
    """Median of a search, by system."""
    right: float
    """Share of right extractive answers."""


def grow(haystack: Path, out: Path, sizes: Sequence[int]) -> list[Measured]:
    """Measure each size, smallest first, that was not measured yet.

    Raises:
        UsageError: OUT has grown beyond a new size, or from another smallest size, which other questions belong to.
    """
    _check_sizes(out, sizes)
    items = [json.loads(line)["path"] for line in (haystack / ITEMS).read_text("utf-8").splitlines()]
    smallest = set(items[: sizes[0]])
    asked = tuple(one for one in read_questions(haystack) if set(one.evidence) <= smallest)
    measured = []
    for size in sizes:
        mark = out / f"{size}.json"
        if not mark.exists():
            lay_out(haystack, out / "pool", items[:size])
            write_whole(mark, json.dumps(asdict(_measure(out, size, asked))) + "\n")
        measured.append(Measured(**json.loads(mark.read_text("utf-8"))))
    return measured


def _check_sizes(out: Path, sizes: Sequence[int]) -> None:
    known = sorted(int(mark.stem) for mark in out.glob("*.json") if mark.stem.isdigit())
    if known and (sizes[0] != known[0] or any(size < known[-1] for size in set(sizes).difference(known))):
        raise UsageError(
            f"{out} holds the sizes {', '.join(map(str, known))}: begin with {known[0]} again, add larger ones only, "
            "or choose another folder."
        )


def lay_out(haystack: Path, pool: Path, names: Sequence[str]) -> None:
    """Put files into the pool, as links where the disk can."""
    for name in names:
        target = pool / name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(haystack / name, target)
            except OSError:  # another disk, or one without links
                with replacing(target) as draft:
                    shutil.copy2(haystack / name, draft)


def _measure(out: Path, size: int, asked: tuple[Question, ...]) -> Measured:
    location = IndexLocation((out / "index").resolve())
    report = index(location, [(out / "pool").resolve()])
    data = DataSet(f"haystack of {size:,}", (out / "pool").resolve(), asked)
    options = RunOptions(systems=SYSTEMS, conditions=(Condition.GOLD, Condition.ASK))
    run(out / f"run-{size}", data, location, options, EvidenceRenderer(), lambda *_: None)
    outcomes = read_outcomes(out / f"run-{size}")
    scores = {system.value: outcomes.scores(system) for system in SYSTEMS}
    told = status(location)
    return Measured(
        files=size,
        pieces=told.pieces,
        read=report.read,
        read_seconds=report.seconds,
        recall_1={name: _mean(found[RankingMeasure.RECALL_1]) for name, found in scores.items()},
        recall_5={name: _mean(found[RankingMeasure.RECALL_5]) for name, found in scores.items()},
        search_ms={name: median(values) * 1000 for name, values in outcomes.seconds.items()},
        right=sum(outcomes.rule_verdict(Condition.ASK, one.id).right for one in asked) / len(asked),
    )


def _mean(values: dict[str, float]) -> float:
    return sum(values.values()) / len(values)


def draw(measured: Sequence[Measured], folder: Path) -> None:
    """Draw recall and cost over size."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [system.value for system in SYSTEMS]
    recall = {name: [(one.files, one.recall_1[name]) for one in measured] for name in names}
    cost = {name: [(one.files, one.search_ms[name]) for one in measured] for name in names}
    rate = {"indexing": [(one.files, one.read / one.read_seconds) for one in measured]}
    for name, curves, label in (
        ("recall-by-size", recall, "Recall@1"),
        ("search-by-size", cost, "milliseconds a search"),
        ("indexing-by-size", rate, "files indexed a second"),
    ):
        (folder / f"{name}.svg").write_text(over_size(curves, label), "utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Grow, draw, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("haystack", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1000, 10_000, 46_000])
    options = parser.parse_args(arguments)
    try:
        measured = grow(options.haystack, options.out, sorted(options.sizes))
    except HaystackError as error:
        parser.error(str(error))
    draw(measured, options.out)
    for one in measured:
        print(json.dumps(asdict(one)))  # noqa: T201


if __name__ == "__main__":
    main()
