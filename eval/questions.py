"""A folder with questions: the smallest data set there is, a folder of files and a `questions.jsonl` in it.

Each line is an object with ``id``, ``question``, ``language``, ``answer``, ``accepted`` (other right answers),
``modality``, ``evidence`` (the file that answers it, relative to the folder, or a list of such), ``locator``
(``{"page": n}``, ``{"time": [from, to]}`` in seconds, or empty), ``needs`` (``text`` or ``vision``) and ``task`` (what
kind of question it is; may be left out).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from haystack_agent.errors import UsageError

FILE_NAME = "questions.jsonl"
FILES_IN = "files-in.txt"
"""Beside questions about files that lie elsewhere: the folder of these."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question with what answers it; an empty text or tuple where a data set does not say."""

    id: str
    text: str
    answers: tuple[str, ...] = ()
    """Accepted ones, the first to be shown."""
    evidence: tuple[str, ...] = ()
    """Files that answer it, each alone, relative to the pool's folder with ``/``."""
    language: str = ""
    modality: str = ""
    task: str = ""
    needs: str = ""
    page: int | None = None
    """Of the first evidence, from 1."""
    time: tuple[float, float] | None = None
    """Seconds in the first evidence."""


def read_questions(folder: Path) -> list[Question]:
    """Read the questions of a folder.

    Raises:
        UsageError: the file is missing, or a line of it is not a question.
    """
    path = folder / FILE_NAME
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not in UTF-8 (byte {error.start + 1}): save it as UTF-8.") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): give a folder with a {FILE_NAME}.") from error
    return [_question(line, f"{path}, line {number}") for number, line in enumerate(lines, start=1) if line.strip()]


def unanswerable() -> list[Question]:
    """Questions about a household's papers that no folder used for measuring answers, in many languages."""
    lines = files("eval").joinpath("unanswerable.jsonl").read_text("utf-8").splitlines()
    entries = [json.loads(line) for line in lines]
    return [
        Question(id=f"unanswerable-{number:02d}", text=str(one["question"]), language=str(one.get("language", "")))
        for number, one in enumerate(entries, start=1)
    ]


def _question(line: str, where: str) -> Question:
    try:
        values = json.loads(line)
        locator = values.get("locator") or {}
        time, evidence = locator.get("time"), values["evidence"]
        return Question(
            id=str(values["id"]),
            text=str(values["question"]),
            language=str(values["language"]),
            answers=(str(values["answer"]), *map(str, values.get("accepted", ()))),
            modality=str(values["modality"]),
            evidence=tuple(map(str, evidence if isinstance(evidence, list) else [evidence])),
            page=int(locator["page"]) if "page" in locator else None,
            time=(float(time[0]), float(time[1])) if time else None,
            needs=str(values["needs"]),
            task=str(values.get("task", "")),
        )
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise UsageError(f"{where}: not a question ({type(error).__name__}: {error}).") from error
