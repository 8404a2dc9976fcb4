"""MultiHaystack (Xu et al. 2026, arXiv 2603.05697) as it lies on the hub: parquet shards in ``document/``, ``image/``
and ``video/``, and a table of questions.

The columns are not documented, so that every name known to be in use for one is tried, in order, and where none is
there the error prints what was found. Files are written out a record batch at a time: the pool never stands in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from eval.datasets.dataset import DataSet, Told
from eval.datasets.materialise import ArchiveItem, materialise, safe_name
from eval.questions import Question
from haystack_agent.errors import UsageError
from haystack_agent.records import Modality

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

_FILE = {
    "name": ("file_name", "filename", "name", "path", "id"),
    "content": ("content", "bytes", "data", "image", "video", "document", "file"),
}
_QUESTION = {
    "question": ("question", "query", "text"),
    "answer": ("answer", "answers", "ground_truth", "gold_answer"),
    "evidence": ("evidence", "file_name", "filename", "pos_file", "positive", "gold_file", "path"),
}
_OPTIONAL = {
    "id": ("id", "question_id", "qid"),
    "task": ("task", "task_type", "type", "category"),
    "language": ("language", "lang"),
    "modality": ("modality", "media", "evidence_modality"),
}
_BATCH = 32
_SEVERAL = ""
"""Stands for the file of a name that more than one file has."""
_SUFFIX = {Modality.DOCUMENT: ".pdf", Modality.IMAGE: ".jpg", Modality.VIDEO: ".mp4"}


def open_multihaystack(folder: Path, pool: Path, tell: Told | None = None) -> DataSet:
    """Write the pool's files to `pool` (again only what is missing there), and read the questions.

    Raises:
        UsageError: a shard or the questions are missing, or their columns are not known.
    """
    shards = {modality: sorted((folder / modality.value).glob("**/*.parquet")) for modality in Modality}
    if not any(shards.values()):
        raise UsageError(f"{folder} holds no parquet files in document/, image/ or video/: name the data set's folder.")
    tables = sorted(path for path in folder.glob("**/*.parquet") if path not in {s for v in shards.values() for s in v})
    if not tables:
        raise UsageError(f"{folder} holds no parquet file of questions beside document/, image/ and video/.")
    total = sum(_open(path).metadata.num_rows for paths in shards.values() for path in paths)
    names: dict[str, str] = {}
    materialise(_items(shards, names), pool, tell, total)
    questions = [_question(row, names, path) for path in tables for row in _rows(path, _QUESTION, _OPTIONAL)]
    return DataSet("MultiHaystack", pool.resolve(), tuple(questions))


def _items(shards: Mapping[Modality, Sequence[Path]], names: dict[str, str]) -> Iterator[ArchiveItem]:
    """The files; `names` is filled with where each goes, by the names that questions may use."""
    for modality, paths in shards.items():
        for path in paths:
            for row in _rows(path, _FILE):
                data, called = _bytes(row["content"], path)
                own = str(row["name"] if row["name"] is not None else called)
                suffix = PurePosixPath(own).suffix or PurePosixPath(called).suffix or _SUFFIX[modality]
                whole = own if PurePosixPath(own).suffix else f"{own}{suffix}"
                name = safe_name(modality.value, *PurePosixPath(whole).parts)
                for key in {own, PurePosixPath(own).name, PurePosixPath(own).stem}:
                    names[f"{modality.value}/{key}"] = name
                    names[key] = name if names.get(key, name) == name else _SEVERAL
                yield ArchiveItem(name, data)


def _bytes(value: Any, path: Path) -> tuple[bytes, str]:
    """The bytes of a cell, which holds them by themselves or as the hub's image and video features do."""
    called = ""
    if isinstance(value, Mapping):
        value, called = value.get("bytes"), str(value.get("path") or "")
    if not isinstance(value, bytes):
        raise UsageError(f"{path}: a file's content is {type(value).__name__}, not bytes.")
    return value, called


def _question(row: Mapping[str, Any], names: Mapping[str, str], path: Path) -> Question:
    wanted = row["evidence"] if isinstance(row["evidence"], list) else [row["evidence"]]
    evidence = tuple(_evidence(str(one), str(row["modality"] or "").lower(), names, path) for one in wanted)
    answers = row["answer"] if isinstance(row["answer"], list) else [row["answer"]]
    return Question(
        id=str(row["id"]),
        text=str(row["question"]),
        answers=tuple(map(str, answers)),
        evidence=evidence,
        language=str(row["language"] or ""),
        modality=evidence[0].partition("/")[0] if evidence else "",
        task=str(row["task"] or ""),
    )


def _evidence(called: str, modality: str, names: Mapping[str, str], path: Path) -> str:
    name = names.get(f"{modality}/{called}", names.get(called))
    if name is None:
        raise UsageError(f"{path}: the evidence {called!r} of a question is not among the files.")
    if name == _SEVERAL:
        raise UsageError(f"{path}: the evidence {called!r} of a question is the name of several files.")
    return name


def _rows(
    path: Path, columns: Mapping[str, Sequence[str]], optional: Mapping[str, Sequence[str]] = {}
) -> Iterator[dict[str, Any]]:
    """Rows by our names; of what is optional and not there, the row's number as ``id`` and else ``None``."""
    file = _open(path)
    found = file.schema_arrow.names
    chosen = {ours: next((name for name in theirs if name in found), None) for ours, theirs in columns.items()}
    for ours, name in chosen.items():
        if name is None:
            raise UsageError(
                f"{path} has no column for the {ours} (known names: {', '.join(columns[ours])}); "
                f"its columns are {', '.join(found)}."
            )
    chosen |= {ours: next((name for name in theirs if name in found), None) for ours, theirs in optional.items()}
    number = 0
    for batch in file.iter_batches(_BATCH, columns=sorted({name for name in chosen.values() if name})):
        for row in batch.to_pylist():
            number += 1
            yield {"id": f"{path.stem}-{number}"} | {
                ours: row[name] if name else None for ours, name in chosen.items() if name or ours != "id"
            }


def _open(path: Path) -> ParquetFile:
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        return ParquetFile(path)
    except (ArrowException, OSError) as error:
        raise UsageError(f"{path} is not a whole parquet file ({error}): fetch it again.") from error
