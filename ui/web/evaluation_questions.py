"""Where the questions of an evaluation come from: the files themselves, or a `questions.jsonl` of the user's."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from eval.datasets.dataset import DataSet, DataSetKind
from eval.datasets.opening import open_data_set
from eval.own_questions import make_file, root_of
from eval.questions import FILE_NAME, FILES_IN
from eval.runs.execute import Progress
from haystack_agent.engine import Engine
from haystack_agent.errors import UsageError

_SEED = 1


def with_questions(roots: Sequence[str]) -> list[Path]:
    """The folders among these that bring questions along."""
    return [path for path in map(Path, roots) if (path / FILE_NAME).is_file()]


def asked_in(folder: Path) -> DataSet:
    """The questions that stand in a folder.

    Raises:
        UsageError: there are none, or they cannot be read.
    """
    return _still_there(open_data_set(folder, DataSetKind.FOLDER, folder))


def made_from_files(engine: Engine, folder: Path, count: int, progress: Progress) -> DataSet:
    """Questions about the indexed files, by rules; kept in `folder`, so that the next run asks the same ones.

    Raises:
        UsageError: nothing in the index can be asked for.
        IndexUnusable: the index cannot be read.
    """
    root = root_of(engine)
    own = folder / f"questions-{hashlib.blake2b(os.fsencode(root), digest_size=6).hexdigest()}"
    progress("Writing questions", 0, count)
    make_file(engine, own, count, _SEED, None, lambda made, _: progress("Writing questions", made, count))
    if not (own / FILE_NAME).is_file():
        raise UsageError(
            "No questions could be made of these files by rules: they have no titles, tables or captions. Write a "
            f"{FILE_NAME} about them, or have a model write one: haystack-agent eval make --model MODEL."
        )
    (own / FILES_IN).write_text(f"{root}\n", "utf-8", "surrogateescape")
    made = asked_in(own)
    return replace(made, name=f"{root.name} (made questions)", questions=made.questions[:count])


def _still_there(data: DataSet) -> DataSet:
    """Without the questions about files that are gone."""
    kept = tuple(one for one in data.questions if all((data.pool / name).is_file() for name in one.evidence))
    if not kept:
        raise UsageError(f"None of the files that the questions of {data.name} are about is there any more.")
    return replace(data, questions=kept)
