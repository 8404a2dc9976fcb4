"""What a run came to, read back from its folder: everything a report says is worked out from these."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from eval.measures.judging import WRONG, Verdict, judge
from eval.measures.ranking import RankingMeasure, measure
from eval.questions import Question
from eval.runs import llm_judge
from eval.runs.config import RunConfig, read_config
from eval.runs.execute import Journals, places_of
from eval.runs.names import Condition
from eval.runs.retrievers import Ranked, files_of
from haystack_agent.errors import UsageError

_QUESTIONS = "questions.json"
_SECONDS_OFF = 1.0


def write_questions(folder: Path, questions: Sequence[Question]) -> None:
    """Keep the questions of a run with it."""
    text = json.dumps([asdict(one) for one in questions], ensure_ascii=False, indent=1)
    (folder / _QUESTIONS).write_text(text + "\n", "utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class Outcomes:
    """A run's questions, and what was found and answered, by system or condition and question."""

    config: RunConfig
    questions: Mapping[str, Question]
    places: Mapping[str, Mapping[str, Sequence[Ranked]]]
    seconds: Mapping[str, Sequence[float]]
    """Of each search, by system."""
    answers: Mapping[Condition, Mapping[str, Mapping[str, Any]]]
    verdicts: Mapping[str, bool | None]
    """Of the judge, by `llm_judge.key`."""

    @property
    def answerable(self) -> dict[str, Question]:
        """Questions that a file of the pool answers."""
        return {key: one for key, one in self.questions.items() if one.evidence}

    def rankings(self, system: str) -> dict[str, list[str]]:
        """Files found, best first."""
        found = {key: files_of(places) for key, places in self.places.get(system, {}).items() if key in self.answerable}
        return found if not self.config.each_alone else {key: self._as_one(key, files) for key, files in found.items()}

    def _as_one(self, key: str, files: Sequence[str]) -> list[str]:
        """With the files that answer a question, each alone, under the name of the first of them."""
        evidence = self.questions[key].evidence
        return list(dict.fromkeys(evidence[0] if file in evidence else file for file in files))

    @property
    def relevant(self) -> dict[str, tuple[str, ...]]:
        """Files that a ranking should have, by question."""
        alone = self.config.each_alone
        return {key: one.evidence[:1] if alone else one.evidence for key, one in self.answerable.items()}

    def scores(self, system: str) -> dict[RankingMeasure, dict[str, float]]:
        """Each measure of each answerable question."""
        return measure(self.relevant, self.rankings(system))

    def rule_verdict(self, condition: Condition, key: str) -> Verdict:
        """What the rules say; an abstention, or no answer, is wrong."""
        record = self.answers.get(condition, {}).get(key)
        if record is None or record["abstained"]:
            return WRONG
        return judge(record["answer"], self.questions[key].answers)

    def judged(self, condition: Condition, key: str) -> bool | None:
        """What the judge says: wrong where there is no answer, ``None`` where it was not asked or did not say."""
        record = self.answers.get(condition, {}).get(key)
        if record is None or record["abstained"]:
            return False
        question = self.questions[key]
        return self.verdicts.get(llm_judge.key(question.text, question.answers, record["answer"]))

    def place_found(self, system: str, key: str) -> bool | None:
        """Whether the best place of the right file is where the question says; ``None`` where it is not first, or
        does not say."""
        places = self.places.get(system, {}).get(key, ())
        first = places[0] if places and places[0].file in self.questions[key].evidence else None
        return None if first is None else at_place(self.questions[key], first.page, first.start, first.end)

    def place_cited(self, condition: Condition, system: str, key: str) -> bool | None:
        """The same of the place cited, where one in the right file is."""
        found = self.place_found(system, key)
        record = self.answers.get(condition, {}).get(key)
        cited = (
            [] if record is None else [one for one in record["cited"] if one["file"] in self.questions[key].evidence]
        )
        if found is None or not cited:
            return found
        return at_place(self.questions[key], cited[0]["page"], cited[0]["start"], cited[0]["end"])


def at_place(question: Question, page: int | None, start: float | None, end: float | None) -> bool | None:
    """Whether a place is the one that a question names; ``None`` where it names none."""
    if question.page is not None:
        return (page or 1) == question.page
    if question.time is not None and start is not None:
        first, last = question.time
        return start <= last + _SECONDS_OFF and (start if end is None else end) >= first - _SECONDS_OFF
    return None


def read_outcomes(folder: Path) -> Outcomes:
    """Read a run.

    Raises:
        UsageError: there is none in the folder.
    """
    config = read_config(folder)
    journals = Journals(folder)
    places: dict[str, dict[str, list[Ranked]]] = {name: {} for name in config.systems}
    seconds: dict[str, list[float]] = {name: [] for name in config.systems}
    for record in journals.rankings():
        places[record["system"]][record["question"]] = places_of(record)
        seconds[record["system"]].append(record["seconds"])
    answers: dict[Condition, dict[str, Mapping[str, Any]]] = {one: {} for one in config.conditions}
    for record in journals.answers():
        answers[Condition(record["condition"])][record["question"]] = record
    verdicts = {record["key"]: record["right"] for record in journals.verdicts()}
    return Outcomes(config, _questions(folder), places, seconds, answers, verdicts)


def _questions(folder: Path) -> dict[str, Question]:
    try:
        entries = json.loads((folder / _QUESTIONS).read_text("utf-8", "surrogatepass"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{folder} holds no questions ({error}): run the evaluation again.") from error
    names = {one.name for one in fields(Question)}
    made = [Question(**{name: _tuple(value) for name, value in entry.items() if name in names}) for entry in entries]
    return {one.id: one for one in made}


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
