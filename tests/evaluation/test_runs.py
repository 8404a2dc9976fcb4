"""Evaluation runs from the command line: the same figures twice and after a kill, and those of a known model."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever

from eval.measures.ranking import RankingMeasure
from eval.questions import read_questions
from eval.reports.markdown import escaped
from eval.runs.config import read_config
from eval.runs.journal import Journal
from eval.runs.outcomes import read_outcomes
from haystack_agent.errors import UsageError
from haystack_agent.index_location import IndexLocation
from ingest.indexing import index
from ingest.pipeline import IndexOptions
from tests.commands.test_cli import Done, Shell, clean
from tests.support.openai_server import Fail, Reply, Scripted, serving

NAMES = ("Aldis", "Borgen", "Cresta", "Dunmor", "Elvaro", "Fintry", "Gorlan", "Hestia")
_PRICES = {name: 11 + 13 * number for number, name in enumerate(NAMES)}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight price lists that differ in a name and a number, a picture that cannot be found, and the questions."""
    base = tmp_path_factory.mktemp("eval")
    files = base / "files"
    files.mkdir()
    questions = []
    for number, (name, price) in enumerate(_PRICES.items()):
        (files / f"n{number}.txt").write_text(f"Price list of {name}.\n\nThe ferry to {name} costs {price} crowns.\n")
        questions.append(
            {"id": name, "question": f"What does the ferry to {name} cost?", "answer": str(price), "language": "en",
             "modality": "document", "evidence": f"n{number}.txt", "needs": "text", "task": "factual"}
        )  # fmt: skip
    (files / "|evil| [x](http:203.0.113.9).txt").write_text("Nothing of interest: zxqv.\n")
    questions.append(
        {**questions[0], "id": "evil", "question": "Where is <script>alert(1)</script>?", "answer": "nowhere",
         "evidence": "|evil| [x](http:203.0.113.9).txt", "task": ""}
    )  # fmt: skip
    (files / "questions.jsonl").write_text("".join(json.dumps(one) + "\n" for one in questions))
    index(IndexLocation(base / "data/indexes/default"), [files], IndexOptions(workers=1))
    return base


def run(world: Path, out: Path, *options: str) -> Done:
    return Shell(world).run(
        "eval", "run", str(world / "files"), "--index", str(world / "data/indexes/default"), "--out", str(out), *options
    )


def figures(out: Path) -> str:
    return (out / "report.md").read_text("utf-8")


def test_a_run_measures_reports_and_gives_the_same_again(world: Path, tmp_path: Path) -> None:
    done = clean(run(world, tmp_path / "a", "--unanswerable"), 0)
    run_a = read_outcomes(tmp_path / "a")
    assert len(run_a.questions) == 9 + 40 and len(run_a.answerable) == 9
    shown = done.stdout.decode()
    assert "| ours |" in shown and "| tutorial | 0.00" in shown and "task: factual | 8 |" in shown
    assert run_a.rankings("ours")["Cresta"][0] == "n2.txt"
    clean(run(world, tmp_path / "b", "--unanswerable"), 0)
    assert figures(tmp_path / "a") == figures(tmp_path / "b")
    again = clean(Shell(world).run("eval", "report", str(tmp_path / "a")), 0)
    assert again.stdout == done.stdout and figures(tmp_path / "a") == figures(tmp_path / "b")
    lines = (tmp_path / "a/ours.run").read_text().splitlines()
    assert all(len(line.split()) == 6 for line in lines) and len({line.split()[0] for line in lines}) == 9


def test_after_a_kill_it_goes_on_and_the_report_is_the_same(world: Path, tmp_path: Path) -> None:
    clean(run(world, tmp_path / "whole"), 0)
    command = [sys.executable, "-m", "ui.cli", "eval", "run", str(world / "files")]
    command += ["--index", str(world / "data/indexes/default"), "--out", str(tmp_path / "cut")]
    for awaited in ("rankings.jsonl", "answers.jsonl"):
        with subprocess.Popen(command, env=Shell(world).environment(), stdout=subprocess.DEVNULL) as process:
            deadline = time.monotonic() + 60
            while not (tmp_path / "cut" / awaited).exists() and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
    with (tmp_path / "cut/answers.jsonl").open("ab") as journal:
        journal.write(b'{"condition": "gold", "ques')
    clean(run(world, tmp_path / "cut"), 0)
    assert figures(tmp_path / "cut") == figures(tmp_path / "whole")


def test_the_report_takes_nothing_for_markup(world: Path, tmp_path: Path) -> None:
    clean(run(world, tmp_path / "run", "--systems", "ours"), 0)
    page = (tmp_path / "run/report.html").read_text("utf-8")
    assert "<script" not in page and "&lt;script&gt;" in page
    assert not re.search(r"""(?:src|href|url)\s*[=(]\s*["']?https?:""", page)
    assert "default-src 'none'" in page
    assert not re.search(r"(?<!\\)\]\(http", figures(tmp_path / "run"))
    assert escaped("a|b `c` [x](y) <b>") == r"a\|b `c` \[x\](y) \<b\>"


def test_another_run_is_not_continued(world: Path, tmp_path: Path) -> None:
    clean(run(world, tmp_path / "run", "--systems", "ours"), 0)
    refused = clean(run(world, tmp_path / "run", "--systems", "bm25"), 2).stderr.decode()
    assert "begun with systems ['ours']" in refused and "['bm25']" in refused
    with pytest.raises(UsageError, match="holds no run"):
        read_config(tmp_path)
    assert "cannot be used" in clean(run(world, tmp_path / "x", "--systems", "nonsense"), 2).stderr.decode()


def test_a_run_names_its_systems_first_and_lies_elsewhere(world: Path, tmp_path: Path) -> None:
    assert b"bm52" in clean(run(world, tmp_path / "run", "--systems", "ours,bm52"), 2).stderr
    assert b"No system is named" in clean(run(world, tmp_path / "run", "--systems", ","), 2).stderr
    assert b"Name another" in clean(run(world, world / "files" / "run"), 2).stderr
    clean(run(world, tmp_path / "run", "--systems", "ours"), 0)


def test_copies_answer_as_well_and_other_contents_are_another_run(world: Path, tmp_path: Path) -> None:
    base = tmp_path / "world"
    (base / "files").mkdir(parents=True)
    for name in ("n0.txt", "n1.txt"):
        shutil.copy(world / "files" / name, base / "files" / name)
    shutil.copy(world / "files/n1.txt", base / "files/a copy.txt")
    kept = (world / "files/questions.jsonl").read_text("utf-8").splitlines()[:2]
    (base / "files/questions.jsonl").write_text("\n".join(kept).replace('"n1.txt"', '"./n1.txt"'), "utf-8")
    location = IndexLocation(base / "data/indexes/default")
    index(location, [base / "files"], IndexOptions(workers=1))
    clean(run(base, tmp_path / "run", "--systems", "ours"), 0)
    outcomes = read_outcomes(tmp_path / "run")
    assert set(outcomes.questions["Borgen"].evidence) == {"n1.txt", "a copy.txt"}
    assert outcomes.scores("ours")[RankingMeasure.RECALL_1] == {"Aldis": 1.0, "Borgen": 1.0}
    shutil.copy(world / "files/n2.txt", base / "files/n2.txt")
    index(location, [base / "files"], IndexOptions(workers=1))
    assert b"contents" in clean(run(base, tmp_path / "run", "--systems", "ours"), 2).stderr


class Fixed(BaseRetriever):
    """Finds the first price list, whatever the question."""

    folder: str

    def _get_relevant_documents(self, query: str, *, run_manager: object) -> list[Document]:
        return [Document("x", metadata={"source": f"{self.folder}/n0.txt", "page": 0})]


def fixed(folder: Path) -> BaseRetriever:
    return Fixed(folder=str(folder))


def test_retrievers_of_others_and_comparison(world: Path, tmp_path: Path) -> None:
    done = clean(run(world, tmp_path / "a", "--systems", "ours,tests.evaluation.test_runs:fixed"), 0)
    assert "| tests.evaluation.test\\_runs:fixed | 0.11 " in done.stdout.decode()
    clean(run(world, tmp_path / "b", "--systems", "ours,bm25"), 0)
    shown = clean(Shell(world).run("eval", "compare", str(tmp_path / "a"), str(tmp_path / "b")), 0).stdout.decode()
    assert "ours, R@1 | 0.889 | 0.889 | +0.000" in shown and "1.0000" in shown


def _price(request: str) -> str:
    """Right for the first six, wrong for the seventh, "not there" for the eighth; in a closed book one is known."""
    name = next((name for name in NAMES if f"ferry to {name} cost?" in request), "")
    if "Answer the question shortly from what you know" in request:
        return "It is 11." if name == "Aldis" else "NOT IN THE FILES"
    if name in {"", "Hestia"} or f"costs {_PRICES[name]} crowns" not in request:
        return "NOT IN THE FILES. Nothing says so."
    return f"{_PRICES[name]} crowns [1]." if name != "Gorlan" else "999 crowns [1]."


def _judge(request: str) -> str:
    return "Correct." if "999" not in request.rsplit("The answer to judge:", maxsplit=1)[-1] else "Incorrect"


@pytest.fixture
def model() -> Iterator[Scripted]:
    def say(request: str) -> str:
        return _judge(request) if "You judge answers" in request else _price(request)

    with serving(Reply(say)) as server:
        yield server


def test_the_accuracy_reported_is_that_of_the_model(world: Path, tmp_path: Path, model: Scripted) -> None:
    options = ("--systems", "ours", "--model", "m", "--model-url", model.url, "--judge", "j", "--prices", "1", "2")
    done = clean(run(world, tmp_path / "run", *options), 0)
    outcomes = read_outcomes(tmp_path / "run")
    right = {
        condition.value: sum(outcomes.rule_verdict(condition, key).right for key in outcomes.answerable)
        for condition in outcomes.config.conditions
    }
    assert right == {"none": 1, "gold": 6, "top-1": 6, "top-3": 6, "top-5": 6}
    shown = done.stdout.decode()
    assert "| gold | 0.67 " in shown and "| none | 0.11 " in shown
    assert "rules, top-5 | 0.67 | 0.67 | 0.00" in shown
    assert "Judge and rules" in shown and re.search(r"\| j \| \d+ \| 1\.00 \| 1\.00 \|", shown)
    gold = next(line for line in shown.splitlines() if line.startswith("| gold |"))
    assert "900 / 63" in gold and "0.0010" in gold  # nine answers of 100 and 7 tokens, at 1 and 2 a million
    sent = len(model.received)
    clean(run(world, tmp_path / "run", *options), 0)
    assert len(model.received) == sent, "what was answered and judged is not asked again"


def test_what_a_model_did_not_answer_is_told_and_asked_again(world: Path, tmp_path: Path) -> None:
    options = ("--systems", "ours", "--evidence", "gold", "--model", "m", "--model-url")
    with serving(Fail(400, "no such thing")) as server:
        done = clean(run(world, tmp_path / "run", *options, server.url), 1)
    assert "9 answers are missing" in done.stderr.decode() and "no such thing" in done.stderr.decode()
    assert "| gold | 0.00 " in done.stdout.decode()
    with serving(Reply(_price)) as server:
        done = clean(run(world, tmp_path / "run", *options, server.url), 0)
    assert "| gold | 0.67 " in done.stdout.decode()


def test_without_an_index_the_files_are_indexed_for_the_run(world: Path, tmp_path: Path) -> None:
    shutil.copytree(world / "files", tmp_path / "files")
    shell = Shell(tmp_path)
    done = clean(
        shell.run("eval", "run", str(tmp_path / "files"), "--out", str(tmp_path / "run"), "--systems", "ours"), 0
    )
    assert "| ours | 0.89 " in done.stdout.decode()
    assert (tmp_path / "run/index/index.json").exists() and not (tmp_path / "data/indexes").exists()


def test_questions_made_from_the_index_can_be_run(world: Path, tmp_path: Path) -> None:
    assert "Nothing in the index" in clean(Shell(world).run("eval", "make", str(tmp_path / "no")), 1).stdout.decode()
    (tmp_path / "files").mkdir()
    rows = "".join(f"| {name} | {price} crowns |\n" for name, price in _PRICES.items())
    (tmp_path / "files/ferries.md").write_text(f"# Ferries of the lake\n\n| Harbour | Fare |\n|---|---|\n{rows}")
    shell = Shell(tmp_path)
    clean(shell.run("index", str(tmp_path / "files")), 0)
    done = clean(shell.run("eval", "make", str(tmp_path / "own"), "--count", "3"), 0)
    assert "eval run" in done.stdout.decode()
    made = read_questions(tmp_path / "own")
    assert len(made) == 3 and {one.evidence for one in made} == {("ferries.md",)}
    options = ("--index", "default", "--systems", "ours", "--out", str(tmp_path / "run"))
    assert "| ours | 1.00" in clean(shell.run("eval", "run", str(tmp_path / "own"), *options), 0).stdout.decode()


def test_a_journal_survives_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    journal = Journal(path, ("id",))
    journal.add({"id": 1, "value": "a\udcff"})
    with path.open("ab") as file:
        file.write(b'{"id": 2')
    again = Journal(path, ("id",))
    again.add({"id": 3, "value": "b"})
    assert [one["id"] for one in Journal(path, ("id",))] == [1, 3]
    assert os.linesep.encode() in path.read_bytes()
