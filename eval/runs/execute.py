"""Carrying a run out: each question to each system and each condition to the reader, but for what is done already."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from eval.questions import Question
from eval.runs import llm_judge
from eval.runs.gold import GoldEvidence
from eval.runs.journal import Journal
from eval.runs.llm_judge import LlmJudge
from eval.runs.names import Condition
from eval.runs.readers import AnswerReader, Reply
from eval.runs.retrievers import Ranked, Retriever, relative
from haystack_agent import places
from haystack_agent.asking import Found, Request
from haystack_agent.engine import Engine
from haystack_agent.errors import ModelFailed
from haystack_agent.records import Evidence, Locator

_PATIENCE = 0.5
"""Seconds after which a wait for an answer is told of, so that it can be ended."""
Progress = Callable[[str, int, int], None]
"""Takes what is being done, how much of it is done, and of how much."""


@dataclass(frozen=True, slots=True)
class Journals:
    """Where a run keeps what came of each question."""

    folder: Path

    def rankings(self) -> Journal:
        """Places found, by system and question."""
        return Journal(self.folder / "rankings.jsonl", ("system", "question"))

    def answers(self) -> Journal:
        """Answers, by condition and question."""
        return Journal(self.folder / "answers.jsonl", ("condition", "question"))

    def verdicts(self) -> Journal:
        """What the judge said, by digest of question and answers."""
        return Journal(self.folder / "verdicts.jsonl", ("key",))


class Retrieving:
    """What one system was not asked yet."""

    def __init__(self, name: str, questions: Sequence[Question], journal: Journal) -> None:
        self._name = name
        self._journal = journal
        self.questions = [one for one in questions if (name, one.id) not in journal]

    def run(self, system: Retriever, progress: Progress) -> None:
        """Ask it."""
        for number, question in enumerate(self.questions):
            progress(f"Searching ({self._name})", number, len(self.questions))
            began = time.perf_counter()
            places = system.search(question.text)
            seconds = round(time.perf_counter() - began, 4)
            rows = [[one.file, round(one.score, 6), one.page, one.start, one.end] for one in places]
            self._journal.add({"system": self._name, "question": question.id, "places": rows, "seconds": seconds})


def places_of(record: Mapping[str, Any]) -> list[Ranked]:
    """The places of a record of `retrieve`."""
    return [Ranked(*row) for row in record["places"]]


class Answering:
    """Answers the questions of a run under its conditions."""

    def __init__(self, engine: Engine, gold: GoldEvidence, reader: AnswerReader, pool: Path, parallel: int) -> None:
        self._engine = engine
        self._gold = gold
        self._reader = reader
        self._pool = pool
        self._parallel = parallel if reader.parallel else 1

    def run(
        self, questions: Sequence[Question], conditions: Sequence[Condition], journal: Journal, progress: Progress
    ) -> list[str]:
        """Answer what was not answered yet; what went wrong, a line for each question that is left open."""
        todo = [(one, condition) for one in questions for condition in conditions if (condition, one.id) not in journal]
        jobs = (self._job(question, condition) for question, condition in todo)
        failures: list[str] = []
        progress("Answering", 0, len(todo))
        done = 0
        for outcome in _in_parallel(jobs, self._parallel):
            if outcome is None:
                progress("Answering", done, len(todo))
                continue
            if isinstance(outcome, str):
                failures.append(outcome)
            else:
                journal.add(outcome)
            done += 1
            progress("Answering", done, len(todo))
        return failures

    def _job(self, question: Question, condition: Condition) -> Callable[[], dict[str, Any] | str]:
        """The evidence is found at once, since the index is asked by one at a time; the answer later."""
        found = self._found(question, condition)

        def answer() -> dict[str, Any] | str:
            began = time.perf_counter()
            try:
                reply = self._reader.answer(question.text, found)
            except ModelFailed as error:
                return f"{question.id} ({condition}): {error}"
            seconds = time.perf_counter() - began
            return self._record(question, condition, found.best if found else (), reply) | {
                "seconds": round(seconds, 4)
            }

        return answer

    def _found(self, question: Question, condition: Condition) -> Found | None:
        if condition is Condition.NONE:
            return None
        found = self._engine.find(Request(question.text))
        if condition is Condition.GOLD:
            return replace(found, best=tuple(self._gold.of(question)))
        return replace(found, best=found.best[: condition.places or places.READ])

    def _record(
        self, question: Question, condition: Condition, evidence: Sequence[Evidence], reply: Reply
    ) -> dict[str, Any]:
        answer = reply.answer
        cited = [self._place(one.evidence, one.locator) | {"verified": one.verified} for one in answer.citations]
        return {
            "condition": condition.value,
            "question": question.id,
            "answer": answer.text,
            "abstained": answer.abstained,
            "cited": cited,
            "given": [self._place(one, one.piece.locator) for one in evidence],
            "notes": list(answer.notes),
            "tokens": [reply.tokens_in, reply.tokens_out],
        }

    def _place(self, evidence: Evidence, locator: Locator) -> dict[str, Any]:
        file = relative(evidence.paths, self._pool)
        return {"file": file, "page": locator.page, "start": locator.start, "end": locator.end}


_Outcome = dict[str, Any] | str
_Job = Callable[[], _Outcome]


def _in_parallel(jobs: Iterable[_Job], parallel: int) -> Iterator[_Outcome | None]:
    """Results as they come, and ``None`` now and then while there are none; no more jobs are made than are being done.

    The threads are daemons, and nobody joins them: who stops a run does not wait for a model that thinks.
    """
    if parallel == 1:
        yield from (job() for job in jobs)
        return
    results: SimpleQueue[_Outcome | Exception] = SimpleQueue()
    running = 0
    for job in jobs:
        threading.Thread(target=_do, args=(job, results), daemon=True).start()
        running += 1
        if running == parallel:
            yield from _next(results)
            running -= 1
    for _ in range(running):
        yield from _next(results)


def _do(job: _Job, results: SimpleQueue[_Outcome | Exception]) -> None:
    try:
        results.put(job())
    except Exception as error:  # noqa: BLE001 - raised again where the results are taken
        results.put(error)


def _next(results: SimpleQueue[_Outcome | Exception]) -> Iterator[_Outcome | None]:
    while True:
        try:
            found = results.get(timeout=_PATIENCE)
        except Empty:
            yield None
            continue
        if isinstance(found, Exception):
            raise found
        yield found
        return


def judge(
    questions: Mapping[str, Question], answers: Journal, verdicts: Journal, by: LlmJudge, progress: Progress
) -> list[str]:
    """Have a model judge the answers that it has not judged yet; what went wrong."""
    todo = [one for one in answers if not one["abstained"] and questions[one["question"]].answers]
    failures: list[str] = []
    for number, record in enumerate(todo):
        progress("Judging", number, len(todo))
        question = questions[record["question"]]
        key = llm_judge.key(question.text, question.answers, record["answer"])
        if (key,) in verdicts:
            continue
        try:
            right = by.judge(question.text, question.answers, record["answer"])
        except ModelFailed as error:
            failures.append(f"{question.id} ({record['condition']}): {error}")
            continue
        verdicts.add({"key": key, "right": right})
    return failures
