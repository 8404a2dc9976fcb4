"""Recall and cost over the size of a pool: measured once each, and only where the sizes belong together."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from eval import growth
from eval.questions import FILE_NAME
from haystack_agent.errors import UsageError

INVOICES = {"red.txt": "Invoice of the red bicycle: 120 euro.", "blue.txt": "Invoice of the blue lamp: 35 euro."}
MORE = {f"note-{number}.txt": f"A note on walk number {number} by the river." for number in range(4)}


def _question(key: str, text: str, evidence: str, answer: str) -> dict[str, str]:
    kind = {"language": "en", "modality": "document", "needs": "text"}
    return {"id": key, "question": text, "evidence": evidence, "answer": answer, **kind}


@pytest.fixture
def haystack(tmp_path: Path) -> Path:
    folder = tmp_path / "haystack"
    folder.mkdir()
    for name, text in (INVOICES | MORE).items():
        (folder / name).write_text(text, "utf-8")
    items = [json.dumps({"path": name}) for name in (*INVOICES, *MORE)]
    (folder / growth.ITEMS).write_text("\n".join(items) + "\n", "utf-8")
    asked = _question("q1", "What did the blue lamp cost?", "blue.txt", "35 euro")
    late = _question("q2", "What of walk number 3?", "note-3.txt", "river")
    (folder / FILE_NAME).write_text(f"{json.dumps(asked)}\n{json.dumps(late)}\n", "utf-8")
    return folder


def test_each_size_is_measured_once_on_the_questions_of_the_smallest(
    haystack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    first = growth.grow(haystack, out, [2, 4])
    assert [(one.files, one.pieces, one.read) for one in first] == [(2, 2, 2), (4, 4, 2)]
    assert [one.recall_1["ours"] for one in first] == [1.0, 1.0]
    monkeypatch.setattr(os, "link", _no_links)
    later = growth.grow(haystack, out, [2, 4, 6])
    assert later[:2] == first
    assert later[2].pieces == 6
    assert sorted(path.name for path in (out / "pool").iterdir()) == sorted((*INVOICES, *MORE))
    growth.draw(later, out)
    assert "ours" in (out / "recall-by-size.svg").read_text("utf-8")


def _no_links(source: Path, target: Path) -> None:
    raise OSError(18, "Invalid cross-device link", str(source), None, str(target))


@pytest.mark.parametrize("sizes", [[2, 3, 6], [4, 6], [1, 2]], ids=["between", "without the smallest", "smaller"])
def test_sizes_that_do_not_belong_together_are_refused(haystack: Path, tmp_path: Path, sizes: list[int]) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for size in (2, 6):
        (out / f"{size}.json").write_text("{}", "utf-8")
    with pytest.raises(UsageError, match="holds the sizes 2, 6: begin with 2"):
        growth.grow(haystack, out, sizes)
    with pytest.raises(SystemExit, match="2"):
        growth.main([str(haystack), str(out), "--sizes", *map(str, sizes)])
