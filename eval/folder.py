"""How good search and answers are on a folder with questions: ``python -m eval.folder FOLDER [--index DIR]``.

Files are ranked by their best place over the whole folder. An answer counts as right when it contains an accepted one,
compared without case, accents, and spacing. A missing answer counts as wrong.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from eval.questions import Question, read_questions
from haystack_agent.engine import Engine
from haystack_agent.index_location import IndexLocation
from haystack_agent.records import Answer, Evidence, Locator
from haystack_agent.text.fold import fold
from ingest.indexing import index

_RANKED = 50
_SECONDS_OFF = 1.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one question."""

    question: Question
    rank: int | None
    """Rank of the right file among files, from 1."""
    place: bool | None
    """Whether the right page or seconds are cited; ``None`` where the right file is not first or has but one place."""
    answered: bool
    """Whether the answer contains an accepted one."""
    abstained: bool
    answer: str


def measure(engine: Engine, folder: Path, questions: Sequence[Question]) -> list[Outcome]:
    """Ask every question."""
    return [_outcome(question, folder, engine.ask(question.text, top_k=_RANKED)) for question in questions]


def _outcome(question: Question, folder: Path, answer: Answer) -> Outcome:
    right = str((folder / question.evidence[0]).resolve())
    files = list(dict.fromkeys(_file(item, right) for item in answer.evidence))
    rank = files.index(right) + 1 if right in files else None
    place = _at_place(question, _cited(answer, right)) if rank == 1 else None
    said = _plain(answer.text)
    answered = not answer.abstained and any(_plain(accepted) in said for accepted in question.answers)
    return Outcome(question, rank, place, answered, answer.abstained, answer.text)


def _cited(answer: Answer, right: str) -> Locator:
    """The place cited in the right file, or the best place found where the answer is none or from elsewhere."""
    cited = [citation.locator for citation in answer.citations if right in citation.evidence.paths]
    return (cited or [answer.evidence[0].piece.locator])[0]


def _file(item: Evidence, right: str) -> str:
    return right if right in item.paths else item.paths[0]


def declined(engine: Engine, questions: Sequence[str]) -> float:
    """Share of questions, none of which the folder answers, that are not answered."""
    return sum(engine.ask(question).abstained for question in questions) / len(questions)


def unanswerable() -> list[str]:
    """Questions about a household's papers that no folder used for measuring answers, in many languages."""
    lines = files("eval").joinpath("unanswerable.jsonl").read_text("utf-8").splitlines()
    return [str(json.loads(line)["question"]) for line in lines]


def _at_place(question: Question, locator: Locator) -> bool | None:
    if question.page is not None:
        return (locator.page or 1) == question.page
    if question.time is not None and locator.start is not None and locator.end is not None:
        first, last = question.time
        return locator.start <= last + _SECONDS_OFF and locator.end >= first - _SECONDS_OFF
    return None


def _plain(text: str) -> str:
    return "".join(fold(text).split())


Group = Callable[[Question], str]


def table(outcomes: Sequence[Outcome]) -> str:
    """The outcomes as a Markdown table: by what they need, their modality, their language."""
    lines = [
        "| questions | n | Recall@1 | Recall@5 | MRR | answer contains | abstained | right place |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    text = [one for one in outcomes if one.question.needs == "text"]
    lines.append(_row("**text**, all", text))
    lines += _rows(text, lambda question: f"text, {question.modality}")
    lines.append(_row("text, English", [one for one in text if one.question.language == "en"]))
    lines.append(_row("text, not English", [one for one in text if one.question.language != "en"]))
    lines += _rows(text, lambda question: f"text, `{question.language}`")
    lines.append(_row("**vision**, all", [one for one in outcomes if one.question.needs != "text"]))
    return "\n".join(lines)


def _rows(outcomes: Sequence[Outcome], name: Group) -> list[str]:
    names = sorted({name(one.question) for one in outcomes})
    return [_row(group, [one for one in outcomes if name(one.question) == group]) for group in names]


def _row(name: str, outcomes: Sequence[Outcome]) -> str:
    count = len(outcomes) or 1
    placed = [one.place for one in outcomes if one.place is not None]
    shares = (
        sum(one.rank == 1 for one in outcomes) / count,
        sum(one.rank is not None and one.rank <= 5 for one in outcomes) / count,
        sum(1 / one.rank for one in outcomes if one.rank) / count,
        sum(one.answered for one in outcomes) / count,
        sum(one.abstained for one in outcomes) / count,
    )
    cells = " | ".join(f"{share:.2f}" for share in shares)
    return f"| {name} | {len(outcomes)} | {cells} | {sum(placed)} of {len(placed)} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Index a folder (or take its index), ask its questions, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--index", type=Path, help="an index of the folder; without it one is made and thrown away")
    parser.add_argument("--each", action="store_true", help="print every question as well")
    options = parser.parse_args(arguments)
    questions = read_questions(options.folder)
    with tempfile.TemporaryDirectory() as scratch:
        location = IndexLocation(options.index or Path(scratch) / "index")
        if options.index is None:
            index(location, [options.folder.resolve()])
        with Engine.open(location) as engine:
            outcomes = measure(engine, options.folder, questions)
            others = unanswerable()
            share = declined(engine, others)
    if options.each:
        for one in outcomes:
            print(one.question.id, one.question.language, one.question.needs, one.rank, one.place, one.answered)  # noqa: T201
            print(f"    {one.question.text}\n    -> {one.answer!r}\n    == {one.question.answers[0]}")  # noqa: T201
    print(table(outcomes))  # noqa: T201
    print(f"\nOf {len(others)} questions that the folder does not answer, {share:.0%} were declined.")  # noqa: T201


if __name__ == "__main__":
    main()
