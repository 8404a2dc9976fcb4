"""The file that questions are written to, and the log of what was tried, so that making goes on where it stopped."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from eval.questions import FILE_NAME, Question
from eval.runs.journal import Journal
from haystack_agent.errors import UsageError

LOG_NAME = "questions.log.jsonl"
MADE = "made"


class QuestionFile:
    """`questions.jsonl` in a folder, and beside it a line for every draft with what became of it.

    Lines of `questions.jsonl` may be edited or deleted between two runs: what is in the log is not made again.
    """

    def __init__(self, folder: Path) -> None:
        """Take in what is there; a last line that is not whole is cut off.

        Raises:
            UsageError: a line is not JSON, or has no id.
        """
        self.path = folder / FILE_NAME
        self._questions = _journal(self.path, "id")
        self._log = _journal(folder / LOG_NAME, "draft")

    def __len__(self) -> int:
        """Number of questions."""
        return sum(1 for _ in self._questions)

    def tried(self, draft: str) -> bool:
        """Whether a draft was tried."""
        return (draft,) in self._log or (draft,) in self._questions

    def drop(self, draft: str, reason: str) -> None:
        """Note why a draft is not asked."""
        self._log.add({"draft": draft, "outcome": reason})

    def add(self, question: Question, made: dict[str, Any]) -> None:
        """Write a question."""
        self._questions.add({**to_record(question), "made": made})
        self._log.add({"draft": question.id, "outcome": MADE})

    def outcomes(self) -> Counter[str]:
        """What became of all drafts that were tried."""
        return Counter(str(record["outcome"]) for record in self._log)


def _journal(path: Path, key: str) -> Journal:
    try:
        return Journal(path, (key,))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{path} has a line that is not an object with {key!r} ({type(error).__name__}: {error}): mend it."
        ) from error


def to_record(question: Question) -> dict[str, Any]:
    """A question as a line of the file (see `eval.questions`)."""
    locator: dict[str, Any] = {}
    if question.page is not None:
        locator["page"] = question.page
    if question.time is not None:
        locator["time"] = list(question.time)
    return {
        "id": question.id,
        "question": question.text,
        "language": question.language,
        "answer": question.answers[0],
        "accepted": list(question.answers[1:]),
        "modality": question.modality,
        "evidence": list(question.evidence),
        "locator": locator,
        "needs": question.needs,
        "task": question.task,
    }
