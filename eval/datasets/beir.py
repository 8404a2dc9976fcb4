"""BEIR (Thakur et al. 2021) and TREC test collections: texts, queries and relevance judgements.

BEIR: ``corpus.jsonl`` (``_id``, ``title``, ``text``), ``queries.jsonl`` (``_id``, ``text``) and ``qrels/test.tsv``
(query-id, corpus-id, score, with a header). TREC: a folder of files, ``topics.tsv`` (number, query) and ``qrels.txt``
(topic, iteration, document, relevance), where a document is named by its path below the folder, or without its suffix.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from eval.datasets.dataset import DataSet, Told
from eval.datasets.materialise import ArchiveItem, materialise, safe_name
from eval.questions import Question
from haystack_agent.errors import UsageError
from haystack_agent.records import Modality

_SHARD = 1000
_SPLITS = ("test", "dev", "train")


def open_beir(folder: Path, pool: Path, tell: Told | None = None) -> DataSet:
    """Write each text of the corpus as a file to `pool`, and read the queries that are judged.

    Raises:
        UsageError: a file is missing or of another form.
    """
    judged = next(
        (folder / "qrels" / f"{name}.tsv" for name in _SPLITS if (folder / "qrels" / f"{name}.tsv").is_file()), None
    )
    if judged is None:
        raise UsageError(f"{folder} holds no qrels/test.tsv (nor dev, nor train): name the folder of a BEIR data set.")
    names: dict[str, str] = {}
    materialise(_texts(folder / "corpus.jsonl", names), pool, tell)
    relevant = _judgements(judged, (0, 1, 2), header=True)
    texts = dict(_queries(folder / "queries.jsonl"))
    return DataSet(folder.name, pool.resolve(), _questions(texts, relevant, names, judged), each_alone=False)


def open_trec(folder: Path) -> DataSet:
    """Read the topics and judgements that lie in a folder of files.

    Raises:
        UsageError: a file is missing or of another form.
    """
    names: dict[str, str] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        names |= {name: name}
        names.setdefault(name.removesuffix(path.suffix), name)
    topics = folder / "topics.tsv"
    texts = dict(_pair(line, topics) for line in _lines(topics))
    judged = folder / "qrels.txt"
    return DataSet(
        folder.name,
        folder.resolve(),
        _questions(texts, _judgements(judged, (0, 2, 3)), names, judged),
        each_alone=False,
    )


def _texts(path: Path, names: dict[str, str]) -> Iterator[ArchiveItem]:
    for number, line in enumerate(_lines(path)):
        entry = _object(line, path)
        name = safe_name(f"{number // _SHARD:05d}", f"{number:07d}-{entry['_id']}.txt")
        names[str(entry["_id"])] = name
        yield ArchiveItem(name, f"{entry.get('title', '')}\n\n{entry['text']}".strip().encode())


def _queries(path: Path) -> Iterator[tuple[str, str]]:
    for line in _lines(path):
        entry = _object(line, path)
        yield str(entry["_id"]), str(entry["text"])


def _questions(
    texts: Mapping[str, str], relevant: Mapping[str, Sequence[str]], names: Mapping[str, str], path: Path
) -> tuple[Question, ...]:
    made = []
    for key, documents in relevant.items():
        missing = [one for one in documents if one not in names]
        if missing or key not in texts:
            raise UsageError(f"{path} judges {(missing or [key])[0]!r}, which is not there.")
        evidence = tuple(names[one] for one in documents)
        made.append(
            Question(id=key, text=texts[key], evidence=evidence, modality=Modality.DOCUMENT.value, needs="text")
        )
    return tuple(made)


def _judgements(path: Path, columns: tuple[int, int, int], header: bool = False) -> dict[str, list[str]]:
    """Relevant documents by query."""
    relevant: dict[str, list[str]] = defaultdict(list)
    for number, line in enumerate(_lines(path)):
        parts = line.split("\t") if "\t" in line else line.split()
        if number == 0 and header:
            continue
        try:
            query, document, score = (parts[column] for column in columns)
            if float(score) > 0:
                relevant[query].append(document)
        except (IndexError, ValueError) as error:
            raise UsageError(f"{path}, line {number + 1}: {line[:80]!r} is no judgement.") from error
    return dict(relevant)


def _pair(line: str, path: Path) -> tuple[str, str]:
    key, tab, text = line.partition("\t")
    if not tab:
        raise UsageError(f"{path}: {line[:80]!r} is no topic: write number, tab, query.")
    return key, text


def _object(line: str, path: Path) -> dict[str, str]:
    try:
        entry: dict[str, str] = json.loads(line)
        return {"_id": entry["_id"], "title": entry.get("title", ""), "text": entry["text"]}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path}: {line[:80]!r} is not an object with _id and text.") from error


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8") as file:
            yield from (line.rstrip("\n") for line in file if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read ({error}).") from error
