"""What an evaluation came to, as the page shows it: plain values, every text made fit to be seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path, PurePath
from typing import Any

from eval.measures.ranking import RankingMeasure
from eval.reports.failures import failures
from eval.reports.tables import ReportTable, asked, leading, tables
from eval.runs.outcomes import Outcomes
from haystack_agent.records import Locator
from ui import printable
from ui.web.cards.evidence_cards import place_words
from ui.web.state.evaluation_store import KeptRun

Json = dict[str, Any]
Find = Callable[[Path], Json | None]
"""Takes a file and gives what is known of it in the index."""
_MOST = 200


def summary_of(run: Outcomes) -> Json:
    """The figures of a run that a list of runs shows."""
    scores = run.scores(leading(run))
    condition = asked(run)
    rated = [key for key, one in run.answerable.items() if one.answers] if condition else []
    right = [run.rule_verdict(condition, key).right for key in rated] if condition else []
    return {
        "questions": len(run.answerable),
        "recall_1": _mean(list(scores[RankingMeasure.RECALL_1].values())),
        "recall_5": _mean(list(scores[RankingMeasure.RECALL_5].values())),
        "right": _mean([float(one) for one in right]),
    }


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def run_line(run: KeptRun) -> Json:
    """A run in the list."""
    return {
        "key": run.key,
        "begun": run.begun.isoformat(),
        "name": printable.name(run.config.data_set),
        "reader": printable.name(run.config.reader),
        "systems": [printable.name(one) for one in run.config.systems],
        "summary": run.summary,
    }


def run_card(run: Outcomes, find: Find) -> Json:
    """A run with its tables and what it got wrong."""
    wrong = failures(run)
    return {
        "tables": [table_card(one) for one in tables(run)],
        "failures": [_failure(run, one.question.id, one.rank, find) for one in wrong[:_MOST]],
        "failed": len(wrong),
        "system": printable.name(leading(run)),
        "versions": [f"{name} {number}" for name, number in run.config.versions],
    }


def table_card(table: ReportTable) -> Json:
    """A table."""
    return {
        "title": table.title,
        "note": printable.line(table.note),
        "columns": [printable.line(cell) for cell in table.columns],
        "rows": [[printable.line(cell) for cell in row] for row in table.rows],
    }


def _failure(run: Outcomes, key: str, rank: int | None, find: Find) -> Json:
    question = run.questions[key]
    condition = asked(run)
    given = run.answers.get(condition, {}).get(key) if condition else None
    first = next(iter(run.places.get(leading(run), {}).get(key, ())), None)
    pool = Path(run.config.pool)
    start = question.time[0] if question.time else None
    end = question.time[1] if question.time else None
    return {
        "id": printable.name(question.id),
        "question": printable.short(question.text, 400),
        "language": printable.name(question.language),
        "rank": rank,
        "answer": printable.short(question.answers[0], 300) if question.answers else "",
        "given": printable.short(given["answer"], 300) if given and not given["abstained"] else "",
        "abstained": bool(given and given["abstained"]),
        "expected": _side(pool / question.evidence[0], question.page, start, end, find),
        "found": _side(pool / first.file, first.page, first.start, first.end, find) if first else None,
    }


def _side(path: Path, page: int | None, start: float | None, end: float | None, find: Find) -> Json:
    known = find(path) or {"asset": "", "look": "text", "type": ""}
    words = place_words(Locator(page=page, start=start, end=end), known["type"])
    place = {"place": words, "page": page, "start": start, "end": end}
    return {**known, **place, "name": printable.name(PurePath(path).name)}
