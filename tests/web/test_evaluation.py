"""The Evaluation tab: begun, stopped, gone on with, looked through, compared and deleted; in a browser and without."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eval.runs.execute import Progress
from eval.sample import documents as sample_documents
from eval.sample import folder as sample
from haystack_agent.errors import UsageError
from haystack_agent.index_location import IndexLocation
from ingest.indexing import index
from ingest.pipeline import IndexOptions
from tests.support.openai_server import Fail, Hang, Reply, Say, Scripted, serving
from tests.support.visit import NEEDS_CHROMIUM, Visit, launched
from tests.support.webserver import Client, running
from ui.web.state.jobs.evaluation import EvaluationJob

HOSTILE = "<img src=x onerror=window.hacked=9> What does the sea look like?"
_FOUND, _MISSED, _HOSTILE = "total", "sea", "hostile"
_ANSWER = Say(("It is £339.40 [1].",))


def _slowly(request: str) -> str:
    time.sleep(0.2 if "Which colour" in request else 2)
    return "It is £339.40 [1]."


def question(key: str, text: str, answer: str, evidence: str, **more: Any) -> str:
    plain = {"id": key, "question": text, "language": "en", "answer": answer, "modality": "document", "needs": "text"}
    return json.dumps({**plain, "evidence": evidence, **more}) + "\n"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("evaluation")
    files = base / "files"
    files.mkdir()
    sample_documents.write_invoice(files / "invoice.pdf")
    sample.write_boat(files / "boat.jpg")
    sample.write_video(files / "flat tyre.mp4")
    sample.write_subtitles(files / "flat tyre.srt")
    asked = question(_FOUND, "How much is the total due on the invoice from Brightwater Cycles?", "£339.40",
                     "invoice.pdf", locator={"page": 2})  # fmt: skip
    asked += question(_MISSED, "Which colour is the total due to the invoice?", "blue", "boat.jpg")
    asked += question(_HOSTILE, HOSTILE, "<b>calm</b>", "flat tyre.mp4", locator={"time": [4, 8]})
    (files / "questions.jsonl").write_text(asked, "utf-8")
    index(IndexLocation(base / "data" / "indexes" / "default"), [files], IndexOptions(workers=1))
    return base


@pytest.fixture(scope="module")
def model() -> Iterator[Scripted]:
    with serving(_ANSWER) as model:
        yield model


@pytest.fixture(scope="module")
def address(base: Path, model: Scripted) -> Iterator[str]:
    with running(base, "--model", "m", "--model-url", model.url) as address:
        yield address


@pytest.fixture
def client(base: Path, address: str) -> Iterator[Client]:
    yield Client(address)
    shutil.rmtree(base / "data" / "evaluations", ignore_errors=True)


def ended(client: Client) -> dict[str, Any]:
    for _ in range(600):
        job: dict[str, Any] = client.get("/api/evaluation/default/progress").json()
        if not job["running"]:
            return job
        time.sleep(0.1)
    raise AssertionError("it never ended")


def evaluated(client: Client, base: Path, **more: Any) -> str:
    """The key of a run that was made."""
    wanted = {"index": "default", "folder": str(base / "files"), "systems": ["ours", "bm25"], **more}
    assert client.post("/api/evaluation/start", wanted).status == 200
    job = ended(client)
    assert job["error"] is None and job["missing"] == 0, job
    return str(client.get("/api/evaluation/default").json()["runs"][0]["key"])


def test_questions_of_the_folder_are_offered_and_asked(base: Path, client: Client) -> None:
    told = client.get("/api/evaluation/default").json()
    assert told["folders"] == [str(base / "files")]
    assert told["systems"] == ["ours", "bm25", "dense", "rrf"] and told["runs"] == []
    key = evaluated(client, base, unanswerable=True)
    (run,) = client.get("/api/evaluation/default").json()["runs"]
    assert (run["key"], run["reader"], run["systems"]) == (key, "extractive", ["ours", "bm25"])
    assert run["summary"]["questions"] == 3
    assert run["summary"]["recall_1"] == pytest.approx(1 / 3)
    shown = client.get(f"/api/evaluation/default/run/{key}").json()
    assert {table["title"] for table in shown["tables"]} >= {"Retrieval", "By kind of question", "Abstention"}
    missed = {one["id"]: one for one in shown["failures"]}
    assert missed.keys() == {_MISSED, _HOSTILE}
    assert missed[_MISSED]["expected"]["name"] == "boat.jpg"
    assert missed[_MISSED]["found"]["name"] == "invoice.pdf" and missed[_MISSED]["found"]["look"] == "page"
    assert missed[_HOSTILE]["expected"]["place"] == "0:04–0:08"
    sides = [missed[_MISSED]["expected"], missed[_MISSED]["found"]]
    assert all(client.get(f"/media/default/{side['asset']}/still.jpg").body[:2] == b"\xff\xd8" for side in sides)


def test_questions_are_made_of_the_files_and_the_same_ones_again(base: Path, client: Client) -> None:
    keys = [evaluated(client, base, folder="", count=5) for _ in range(2)]
    tables = client.get(f"/api/evaluation/default/compare/{keys[0]}/{keys[1]}").json()["tables"]
    rows = [row for table in tables for row in table["rows"]]
    assert rows and all(row[3].startswith("+0.000") for row in rows), "the same index on the same questions"


def test_a_language_model_is_measured_too(base: Path, client: Client, model: Scripted) -> None:
    model.script = [_ANSWER]
    evaluated(client, base, model=True)
    (run,) = client.get("/api/evaluation/default").json()["runs"]
    assert run["reader"] == "m" and run["summary"]["right"] == pytest.approx(1 / 3)


def test_what_was_stopped_is_gone_on_with(base: Path, client: Client, model: Scripted) -> None:
    model.script = [Reply(_slowly)]
    wanted = {"index": "default", "folder": str(base / "files"), "systems": ["ours"], "model": True}
    assert client.post("/api/evaluation/start", wanted).status == 200
    for _ in range(200):
        if client.get("/api/evaluation/default/progress").json()["label"] == "Answering":
            break
        time.sleep(0.05)
    again = client.post("/api/evaluation/start", wanted)
    assert again.status == 400 and "goes on already" in again.json()["error"]
    client.post("/api/evaluation/cancel/default")
    assert ended(client)["stopped"]
    (run,) = client.get("/api/evaluation/default").json()["runs"]
    assert run["summary"] is None
    answers = base / "data/evaluations/default" / run["key"] / "answers.jsonl"
    done = answers.read_text("utf-8").splitlines()
    assert 0 < len(done) < 6
    model.script = [_ANSWER]
    assert client.post("/api/evaluation/go-on", {"index": "default", "run": run["key"]}).status == 200
    assert ended(client)["error"] is None
    assert answers.read_text("utf-8").splitlines()[: len(done)] == done
    assert client.get("/api/evaluation/default").json()["runs"][0]["summary"]["right"] == pytest.approx(1 / 3)


def test_nobody_waits_for_a_model_that_thinks(base: Path, client: Client, model: Scripted) -> None:
    model.script = [Hang(30)]
    wanted = {"index": "default", "folder": str(base / "files"), "systems": ["ours"], "model": True}
    assert client.post("/api/evaluation/start", wanted).status == 200
    for _ in range(200):
        if client.get("/api/evaluation/default/progress").json()["label"] == "Answering":
            break
        time.sleep(0.05)
    refused = client.post("/api/index/start", {"index": "default"})
    assert refused.status == 400 and "is being evaluated" in refused.json()["error"]
    client.post("/api/evaluation/cancel/default")
    began = time.monotonic()
    assert ended(client)["stopped"]
    assert time.monotonic() - began < 10
    model.script = [Fail(400, "no such model")]
    (run,) = client.get("/api/evaluation/default").json()["runs"]
    client.post("/api/evaluation/go-on", {"index": "default", "run": run["key"]})
    job = ended(client)
    assert job["missing"] == 6 and "no such model" in job["failures"][0] and job["about"] == run["key"]
    assert client.get("/api/evaluation/default").json()["runs"][0]["summary"]["missing"] == 6


def updated(client: Client, *folders: Path) -> None:
    client.post("/api/index/start", {"index": "default", "folders": [str(folder) for folder in folders]})
    for _ in range(300):
        if not client.get("/api/progress/default").json()["running"]:
            return
        time.sleep(0.1)
    raise AssertionError("indexing never ended")


def test_questions_made_follow_the_files(base: Path, client: Client) -> None:
    extra = base / "files" / "mountain.jpg"
    sample.write_mountain(extra)
    for there in (True, False):
        if not there:
            extra.unlink()
        updated(client)
        evaluated(client, base, folder="", count=40)
        (own,) = (base / "data/evaluations/default").glob("questions-*")
        asked = [json.loads(line) for line in (own / "questions.jsonl").read_text("utf-8").splitlines()]
        assert asked and any(extra.name in one["evidence"] for one in asked) == there


def test_what_cannot_be_done_is_told(base: Path, client: Client, tmp_path: Path) -> None:
    client.post("/api/evaluation/start", {"index": "default", "folder": str(tmp_path), "systems": ["ours"]})
    assert "give a folder with a questions.jsonl" in str(ended(client)["error"])
    (tmp_path / "questions.jsonl").write_bytes("é".encode("latin-1"))
    client.post("/api/evaluation/start", {"index": "default", "folder": str(tmp_path), "systems": ["ours"]})
    assert "save it as UTF-8" in str(ended(client)["error"])
    for folder in ("~nosuchuser/x", "/" + "a" * 3000, "relative"):
        told = client.post("/api/evaluation/start", {"index": "default", "folder": folder, "systems": ["ours"]})
        assert (told.status == 400 and "folder" in told.json()["error"]) or "whole path" in told.json()["error"]
    assert client.post("/api/evaluation/start", {"index": "default", "systems": ["nonsense"]}).status == 422
    assert client.post("/api/evaluation/start", {"index": "nowhere", "systems": ["ours"]}).status == 400
    gone = "20260101-000000-abcd"
    for path in (f"/run/{gone}", f"/compare/{gone}/{gone}"):
        assert client.get(f"/api/evaluation/default{path}").status == 400
    assert client.post("/api/evaluation/go-on", {"index": "default", "run": gone}).status == 400


@pytest.mark.parametrize("key", ["..", "%2e%2e", "..%2f..%2fconfig.toml", "20260101-000000-abcd%2f..", "a" * 300])
def test_no_path_is_taken_for_a_run(base: Path, client: Client, key: str) -> None:
    before = sorted(base.rglob("*"))
    for reply in (
        client.get(f"/api/evaluation/default/run/{key}"),
        client.ask("DELETE", f"/api/evaluation/default/run/{key}"),
        client.get(f"/api/evaluation/default/compare/{key}/{key}"),
        client.get(f"/api/evaluation/{key}"),
        client.post("/api/evaluation/go-on", {"index": "default", "run": key}),
    ):
        assert reply.status in (400, 404, 405, 422)
    assert sorted(base.rglob("*")) == before


def test_only_one_task_at_a_time_and_its_errors_are_kept() -> None:
    task = EvaluationJob()

    def work(tell: Progress) -> list[str]:
        tell("Working", 1, 2)
        return ["one is missing"]

    task.start(work, "a run")
    task.wait()
    assert (task.told()["label"], task.told()["missing"], task.running) == ("Working", 1, False)

    def fail(_: Any) -> list[str]:
        raise UsageError("The folder is empty.")

    task.start(fail, "another")
    task.wait()
    assert task.told()["error"] == "The folder is empty." and not task.told()["missing"]
    task.forget("a run")
    assert task.told()["error"]
    task.forget("another")
    assert task.told()["error"] is None


def test_a_task_that_is_stopped_or_breaks_says_so_and_may_be_started_again() -> None:
    task, begun, asked = EvaluationJob(), threading.Event(), threading.Event()

    def work(tell: Progress) -> list[str]:
        begun.set()
        assert asked.wait(20)
        tell("Never told", 1, 2)
        return []

    task.start(work, "a run")
    assert begun.wait(20)
    with pytest.raises(UsageError, match="goes on already"):
        task.start(work, "another")
    task.cancel()
    assert task.told()["stopping"]
    asked.set()
    task.wait()
    told = task.told()
    assert (told["stopped"], told["running"], told["stopping"], told["label"]) == (True, False, False, "")

    def breaks(_: Any) -> list[str]:
        raise ZeroDivisionError("by\nzero")

    task.start(breaks, "a third")
    task.wait()
    assert task.told()["error"] == "ZeroDivisionError: by zero (an unexpected error)"


def widths(page: Any, inside: Any) -> list[int]:
    """Of the pictures in an element, when they are drawn."""
    for _ in range(100):
        found: list[int] = [one.evaluate("(image) => image.naturalWidth") for one in inside.locator("img").all()]
        if len(found) == 2 and all(found):
            return found
        page.wait_for_timeout(100)
    raise AssertionError("not all pictures were drawn")


@NEEDS_CHROMIUM
def test_a_person_evaluates_looks_and_compares(base: Path, address: str, client: Client) -> None:
    with launched() as browser:
        visit = Visit(browser, address)
        page = visit.page
        page.click("#tab-evaluation")
        page.wait_for_selector("#runs > *")
        for made in (1, 2):
            page.click("#eval-start")
            page.wait_for_selector("#eval-stop")
            page.locator(".runs tbody tr").nth(made - 1).wait_for()
            page.wait_for_selector(".runs .here ~ tr, .runs .here:only-child")
            page.wait_for_selector(".run .misses")
        missed = page.locator(".misses li", has_text="Which colour")
        assert missed.locator("h4").all_inner_texts() == ["Expected", "Found first"]
        assert "boat.jpg" in missed.inner_text() and "invoice.pdf" in missed.inner_text()
        missed.scroll_into_view_if_needed()
        assert all(wide > 100 for wide in widths(page, missed))
        assert "<img src=x onerror" in page.locator(".misses").inner_text()
        missed.get_by_role("button", name="boat.jpg").click()
        page.wait_for_selector("#stage .framed:not(.loading)")
        assert "boat.jpg" in visit.text("#viewer-title")
        page.keyboard.press("Escape")
        for box in page.get_by_role("checkbox", name="Compare the evaluation of").all():
            box.check()
        page.click("#compare")
        page.locator("#run h2", has_text="against").wait_for()
        assert "+0.000" in visit.text("#run")
        page.locator("[aria-label^='Delete the evaluation']").first.click()
        page.click("#prompt .primary")
        page.locator(".runs tbody tr").nth(1).wait_for(state="detached")
        visit.leave()
