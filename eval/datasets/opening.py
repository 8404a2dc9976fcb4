"""Opening a data set of any kind."""

from __future__ import annotations

from pathlib import Path

from eval.datasets.beir import open_beir, open_trec
from eval.datasets.dataset import DataSet, DataSetKind, Told
from eval.datasets.document_haystack import open_document_haystack
from eval.datasets.multihaystack import open_multihaystack
from eval.questions import FILE_NAME, FILES_IN, read_questions
from haystack_agent.errors import UsageError
from haystack_agent.records import Modality


def open_data_set(path: Path, kind: DataSetKind | None, pool: Path, tell: Told | None = None) -> DataSet:
    """Read a data set; files that stand in an archive of its own are written to `pool` first.

    Raises:
        UsageError: it is not of that kind, or without `kind` of none that is known.
    """
    match kind or guess_kind(path):
        case DataSetKind.FOLDER:
            return DataSet(path.resolve().name, _files_of(path), tuple(read_questions(path)))
        case DataSetKind.MULTIHAYSTACK:
            return open_multihaystack(path, pool, tell)
        case DataSetKind.DOCUMENT_HAYSTACK:
            return open_document_haystack(path)
        case DataSetKind.BEIR:
            return open_beir(path, pool, tell)
        case DataSetKind.TREC:
            return open_trec(path)


def _files_of(path: Path) -> Path:
    """Where the files are that the questions in a folder are about: there, or where a note beside them says."""
    note = path / FILES_IN
    if not note.is_file():
        return path.resolve()
    pool = Path(note.read_text("utf-8", "surrogateescape").strip())
    if not pool.is_absolute() or not pool.is_dir():
        raise UsageError(f"{note} names {str(pool)!r}, which is no folder: write the folder of the files in it.")
    return pool.resolve()


def guess_kind(path: Path) -> DataSetKind:
    """What kind of data set lies at a path, by the files in it.

    Raises:
        UsageError: none that is known.
    """
    signs = (
        (DataSetKind.FOLDER, (path / FILE_NAME).is_file()),
        (DataSetKind.BEIR, (path / "corpus.jsonl").is_file()),
        (DataSetKind.TREC, (path / "qrels.txt").is_file()),
        (DataSetKind.DOCUMENT_HAYSTACK, path.is_file() and path.suffix == ".json"),
        (DataSetKind.MULTIHAYSTACK, any(any((path / one.value).rglob("*.parquet")) for one in Modality)),
    )
    for kind, seen in signs:
        if seen:
            return kind
    raise UsageError(f"{path} holds no data set that is known: a folder needs a {FILE_NAME} (or say --kind).")
