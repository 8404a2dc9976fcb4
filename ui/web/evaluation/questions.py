"""Where the questions of an evaluation come from: the files themselves, or a `questions.jsonl` of the user's."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from eval.datasets.dataset import DataSet, DataSetKind
from eval.datasets.opening import open_data_set
from eval.own_questions.make import common_folder, make_file
from eval.questions import FILE_NAME, FILES_IN
from eval.runs.execute import Progress
from haystack_agent.errors import UsageError
from ui import printable

if TYPE_CHECKING:
    from ui.web.state.index_hub import OpenIndex

_SEED = 1


def with_questions(roots: Sequence[str]) -> list[Path]:
    """The folders among these that bring questions along."""
    return [path for path in map(printable.path_of, roots) if (path / FILE_NAME).is_file()]


def asked_in(folder: Path) -> DataSet:
    """The questions that stand in a folder.

    Raises:
        UsageError: there are none, or they cannot be read.
    """
    return _still_there(open_data_set(folder, DataSetKind.FOLDER, folder))


def made_from_files(one: OpenIndex, folder: Path, count: int, progress: Progress) -> DataSet:
    """Questions about the indexed files, by rules; kept in `folder`, so that the next run asks the same ones.

    Once the files are others, other questions are made; those of places that did not change keep their ids.

    Raises:
        UsageError: nothing in the index can be asked for.
        IndexUnusable: the index cannot be read.
    """
    progress("Writing questions", 0, count)
    paths = one.catalogue.paths()
    root, own = common_folder(map(str, paths)), folder / f"questions-{_digest(paths)}"
    for other in folder.glob("questions-*"):
        if other != own:
            shutil.rmtree(other)
    make_file(one.live.engine, own, count, _SEED, None, lambda made, _: progress("Writing questions", made, count))
    if not (own / FILE_NAME).is_file():
        raise UsageError(
            "No questions could be made of these files by rules: they have no titles, tables or captions. Write a "
            f"{FILE_NAME} about them, or have a model write one: haystack-agent eval make --model MODEL."
        )
    (own / FILES_IN).write_text(f"{root}\n", "utf-8", "surrogateescape")
    made = asked_in(own)
    return replace(made, name=f"{root.name} (made questions)", questions=made.questions[:count])


def _digest(paths: Mapping[Path, str]) -> str:
    """Changes with any file and its content."""
    digest = hashlib.blake2b(digest_size=8)
    for path, asset_id in sorted(paths.items()):
        digest.update(os.fsencode(path) + b"\0" + asset_id.encode() + b"\0")
    return digest.hexdigest()


def _still_there(data: DataSet) -> DataSet:
    """Without the questions about files that are gone."""
    kept = tuple(one for one in data.questions if all((data.pool / name).is_file() for name in one.evidence))
    if not kept:
        raise UsageError(f"None of the files that the questions of {data.name} are about is there any more.")
    return replace(data, questions=kept)
