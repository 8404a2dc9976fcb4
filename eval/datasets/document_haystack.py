"""Document Haystacks (Chen et al., CVPR 2025): DocHaystack and InfoHaystack.

A folder with the page pictures (in any subfolder) and a JSON list of ``{"id", "conversations": [{"from": "human",
"value": question}, {"from": "gpt", "value": answer}], "pos_image": [file], "dataset": "docVQA" or "infoVQA"}``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eval.datasets.dataset import DataSet
from eval.questions import Question
from haystack_agent.errors import UsageError
from haystack_agent.records import Modality

_PICTURE = "<image>"


def open_document_haystack(questions: Path) -> DataSet:
    """Read the questions of a JSON file; the pool is the folder that it lies in.

    Raises:
        UsageError: it cannot be read, is of another form, or names a picture that is not in the folder.
    """
    pool = questions.parent.resolve()
    files = {path.name: path.relative_to(pool).as_posix() for path in sorted(pool.rglob("*")) if path.is_file()}
    try:
        entries = json.loads(questions.read_text("utf-8"))
        made = tuple(_question(entry, files, questions) for entry in entries)
    except OSError as error:
        raise UsageError(f"{questions} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise UsageError(
            f"{questions} is no question file of Document Haystacks ({type(error).__name__}: {error})."
        ) from error
    return DataSet(questions.stem, pool, made)


def _question(entry: Mapping[str, Any], files: Mapping[str, str], path: Path) -> Question:
    said = {turn["from"]: str(turn["value"]) for turn in entry["conversations"]}
    pictures = [Path(str(name)).name for name in entry["pos_image"]]
    missing = [name for name in pictures if name not in files]
    if missing:
        raise UsageError(f"{path}: the picture {missing[0]} of question {entry['id']} is not in {path.parent}.")
    return Question(
        id=str(entry["id"]),
        text=said["human"].replace(_PICTURE, "").strip(),
        answers=(said["gpt"].strip(),),
        evidence=tuple(files[name] for name in pictures),
        language="en",
        modality=Modality.IMAGE.value,
        task=str(entry.get("dataset", "")),
    )
