"""A folder with questions: the smallest data set there is, a folder of files and a `questions.jsonl` in it.

Each line is an object with ``question``, ``language``, ``answer``, ``accepted`` (other right answers), ``modality``,
``evidence`` (the one file that answers it, relative to the folder), ``locator`` (``{"page": n}``, ``{"time": [from,
to]}`` in seconds, or empty) and ``needs`` (``text`` or ``vision``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from haystack_agent.errors import UsageError

FILE_NAME = "questions.jsonl"


@dataclass(frozen=True, slots=True)
class Question:
    """One question with its one right evidence."""

    id: str
    text: str
    language: str
    answers: tuple[str, ...]
    modality: str
    evidence: str
    page: int | None
    time: tuple[float, float] | None
    needs: str


def read_questions(folder: Path) -> list[Question]:
    """Read the questions of a folder.

    Raises:
        UsageError: the file is missing, or a line of it is not a question.
    """
    path = folder / FILE_NAME
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): give a folder with a {FILE_NAME}.") from error
    return [_question(line, f"{path}, line {number}") for number, line in enumerate(lines, start=1) if line.strip()]


def _question(line: str, where: str) -> Question:
    try:
        values = json.loads(line)
        locator = values.get("locator") or {}
        time = locator.get("time")
        return Question(
            id=str(values["id"]),
            text=str(values["question"]),
            language=str(values["language"]),
            answers=(str(values["answer"]), *map(str, values.get("accepted", ()))),
            modality=str(values["modality"]),
            evidence=str(values["evidence"]),
            page=int(locator["page"]) if "page" in locator else None,
            time=(float(time[0]), float(time[1])) if time else None,
            needs=str(values["needs"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise UsageError(f"{where}: not a question ({type(error).__name__}: {error}).") from error
