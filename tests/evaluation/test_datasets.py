"""Data sets in the layouts declared, and in ones that differ."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from eval.datasets.dataset import DataSetKind
from eval.datasets.materialise import ArchiveItem, materialise, safe_name
from eval.datasets.multihaystack import open_multihaystack
from eval.datasets.opening import guess_kind, open_data_set
from haystack_agent.errors import UsageError


def parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path)


def multihaystack(folder: Path, **renamed: str) -> Path:
    """Two shards of documents, one of pictures as the hub's image feature holds them, one clip, two questions."""
    content = renamed.get("content", "content")
    parquet(folder / "document/0.parquet", [{"file_name": "a/report.pdf", content: b"%PDF one"}])
    parquet(folder / "document/1.parquet", [{"file_name": "b/report.pdf", content: b"%PDF two"}])
    parquet(folder / "image/0.parquet", [{"id": "0001", "image": {"bytes": b"\xff\xd8", "path": "0001.png"}}])
    parquet(folder / "video/0.parquet", [{"id": "0001", "bytes": b"film"}])
    questions: list[dict[str, Any]] = [
        {"question": "Who?", "answer": "I", "evidence": "b/report.pdf", "task_type": "factual", "modality": None},
        {"question": "What?", "answer": "It", "evidence": "0001", "modality": "video"},
    ]
    parquet(folder / "questions.parquet", questions)
    return folder


def test_multihaystack_is_laid_out_and_its_questions_point_there(tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    folder = multihaystack(tmp_path / "hub")
    data = open_multihaystack(folder, tmp_path / "pool", lambda done, total: told.append((done, total)))
    files = {path.relative_to(tmp_path / "pool").as_posix(): path.read_bytes() for path in data.pool.rglob("*.*")}
    assert files == {
        "document/a/report.pdf": b"%PDF one",
        "document/b/report.pdf": b"%PDF two",
        "image/0001.png": b"\xff\xd8",
        "video/0001.mp4": b"film",
    }
    assert told[-1] == (4, 4)
    first, second = data.questions
    assert first.evidence == ("document/b/report.pdf",) and first.task == "factual"
    assert second.evidence == ("video/0001.mp4",) and second.modality == "video"
    assert len({one.id for one in data.questions}) == 2


def test_other_columns_are_told_with_what_was_found(tmp_path: Path) -> None:
    folder = multihaystack(tmp_path / "hub", content="blob")
    with pytest.raises(UsageError, match=r"no column for the content .*its columns are file_name, blob"):
        open_multihaystack(folder, tmp_path / "pool")


def test_an_evidence_that_is_not_there_or_could_be_several_is_refused(tmp_path: Path) -> None:
    folder = multihaystack(tmp_path / "hub")
    for evidence, words in (("c.pdf", "not among the files"), ("report.pdf", "the name of several files")):
        parquet(folder / "questions.parquet", [{"question": "Who?", "answer": "I", "evidence": evidence}])
        with pytest.raises(UsageError, match=words):
            open_multihaystack(folder, tmp_path / "pool")
    (folder / "video/0.parquet").write_bytes(b"PAR1 cut short")
    with pytest.raises(UsageError, match="not a whole parquet file"):
        open_multihaystack(folder, tmp_path / "pool")
    with pytest.raises(UsageError, match="no parquet files"):
        open_multihaystack(tmp_path / "nothing", tmp_path / "pool")


def test_writing_goes_on_where_it_stopped_and_mends_what_is_damaged(tmp_path: Path) -> None:
    items = [ArchiveItem(f"{number}.txt", str(number).encode() * 9) for number in range(5)]

    def cut() -> Any:
        yield from items[:3]
        raise KeyboardInterrupt

    pool = tmp_path / "pool"
    with pytest.raises(KeyboardInterrupt):
        materialise(cut(), pool)
    kept = (pool / "1.txt").stat().st_mtime_ns
    (pool / "2.txt").write_bytes(b"cut")
    (pool / "0.txt").write_bytes(b"x" * 9)
    assert materialise(items, pool) == 5
    assert {path.name: path.read_bytes() for path in pool.iterdir()} == {item.name: item.data for item in items}
    assert (pool / "1.txt").stat().st_mtime_ns == kept
    with pytest.raises(UsageError, match=r"two files called 0\.txt"):
        materialise([items[0], items[0]], pool)


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("image", "../../etc/passwd"), "image/passwd"),
        (("image", ".."), "image/_"),
        (("image", "a\\b\nc.png"), "image/b_c.png"),
        (("image", "ž 1.png"), "image/ž_1.png"),
    ],
)
def test_names_lead_nowhere_else(parts: tuple[str, ...], name: str) -> None:
    assert safe_name(*parts) == name
    assert len(safe_name("x" * 400 + ".pdf")) < 200 and safe_name("x" * 400 + ".pdf").endswith(".pdf")


def test_document_haystacks(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages/p1.png").write_bytes(b"x")
    said = [{"from": "human", "value": "<image>\nWhat is the total?"}, {"from": "gpt", "value": "12"}]
    entry = {"id": 7, "conversations": said, "pos_image": ["test/p1.png"], "neg_image": [], "dataset": "docVQA"}
    path = tmp_path / "DocHaystack-100.json"
    path.write_text(json.dumps([entry]))
    data = open_data_set(path, None, tmp_path / "pool")
    [question] = data.questions
    assert (question.text, question.answers, question.evidence) == ("What is the total?", ("12",), ("pages/p1.png",))
    entry["pos_image"] = ["p2.png"]
    path.write_text(json.dumps([entry]))
    with pytest.raises(UsageError, match=r"p2\.png of question 7 is not in"):
        open_data_set(path, None, tmp_path / "pool")
    path.write_text('{"a": 1}')
    with pytest.raises(UsageError, match="no question file"):
        open_data_set(path, None, tmp_path / "pool")


def test_beir_and_trec(tmp_path: Path) -> None:
    beir = tmp_path / "scifact"
    (beir / "qrels").mkdir(parents=True)
    corpus = [{"_id": "d/1", "title": "Bees", "text": "They dance."}, {"_id": "d2", "title": "", "text": "Cats."}]
    (beir / "corpus.jsonl").write_text("".join(json.dumps(one) + "\n" for one in corpus))
    (beir / "queries.jsonl").write_text('{"_id": "q1", "text": "dancing insects"}\n{"_id": "q2", "text": "unjudged"}\n')
    (beir / "qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td/1\t2\nq1\td2\t0\n")
    data = open_data_set(beir, None, tmp_path / "pool")
    [question] = data.questions
    assert question.text == "dancing insects" and len(question.evidence) == 1
    assert (data.pool / question.evidence[0]).read_text() == "Bees\n\nThey dance."
    (beir / "qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td9\t1\n")
    with pytest.raises(UsageError, match="judges 'd9'"):
        open_data_set(beir, None, tmp_path / "pool")

    trec = tmp_path / "trec"
    (trec / "sub").mkdir(parents=True)
    (trec / "sub/doc-1.txt").write_text("x")
    (trec / "topics.tsv").write_text("301\torganized crime\n")
    (trec / "qrels.txt").write_text("301 0 sub/doc-1 1\n")
    [question] = open_data_set(trec, None, tmp_path / "pool2").questions
    assert question.evidence == ("sub/doc-1.txt",)
    (trec / "qrels.txt").write_text("301 0\n")
    with pytest.raises(UsageError, match=r"line 1: '301 0' is no judgement"):
        open_data_set(trec, None, tmp_path / "pool2")


def test_the_kind_is_guessed_or_asked_for(tmp_path: Path) -> None:
    assert guess_kind(multihaystack(tmp_path / "hub")) is DataSetKind.MULTIHAYSTACK
    with pytest.raises(UsageError, match=r"needs a questions\.jsonl"):
        guess_kind(tmp_path)
    (tmp_path / "questions.jsonl").write_text("{}\n")
    with pytest.raises(UsageError, match="line 1: not a question"):
        open_data_set(tmp_path, None, tmp_path / "pool")
