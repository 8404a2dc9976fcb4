"""What a data set is to the rest: a folder of files to be indexed, and questions with the files that answer them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from eval.questions import Question


class DataSetKind(StrEnum):
    """Layouts that are read."""

    FOLDER = "folder"
    """Files, and a `questions.jsonl` beside them (see `eval.questions`)."""
    MULTIHAYSTACK = "multihaystack"
    """Parquet shards of documents, pictures and videos, and questions (see `eval.datasets.multihaystack`)."""
    DOCUMENT_HAYSTACK = "document-haystack"
    """A folder of page pictures and a JSON list of questions (see `eval.datasets.document_haystack`)."""
    BEIR = "beir"
    """``corpus.jsonl``, ``queries.jsonl`` and ``qrels/*.tsv`` (see `eval.datasets.beir`)."""
    TREC = "trec"
    """A folder of files named by document number, with ``topics.tsv`` and ``qrels.txt``."""


Told = Callable[[int, int | None], None]
"""Takes how many files of the pool are written, and of how many where that is known."""


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data set whose files are on the disk."""

    name: str
    pool: Path
    """Absolute folder of the files; what stands in no question is a distractor."""
    questions: tuple[Question, ...]
    each_alone: bool = True
    """Whether one file of a question's evidence is as good as all of them, as with copies; else all are wanted."""
