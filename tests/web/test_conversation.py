"""The conversation in the page: it is there again after a reload, in the midst of an answer, after a crash; requests
are answered with what was found; each view has its own filters; the evidence shown is that of the answer."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eval.sample import documents as sample_documents
from eval.sample import folder as sample
from haystack_agent.index_location import IndexLocation
from ingest.indexing import index
from ingest.pipeline import IndexOptions
from tests.support.openai_server import Fail, Say, Scripted, serving
from tests.support.visit import NEEDS_CHROMIUM, Visit, launched
from tests.support.webserver import running, started

pytestmark = NEEDS_CHROMIUM
INVOICE = "How much is the total due on the invoice from Brightwater Cycles?"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("conversation")
    files = base / "files"
    files.mkdir()
    sample_documents.write_invoice(files / "invoice.pdf")
    sample.write_boat(files / "boat.jpg")
    for number in range(12):
        (files / f"note {number}.md").write_text(f"# Invoice {number}\n\nCycle number {number} was sold.\n", "utf-8")
    indexes = base / "data" / "indexes"
    index(IndexLocation(indexes / "default"), [files], IndexOptions(workers=1))
    shutil.copytree(indexes / "default", indexes / "other")
    return base


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def model() -> Iterator[Scripted]:
    with serving() as model:
        yield model


@pytest.fixture(scope="module")
def address(base: Path, model: Scripted) -> Iterator[str]:
    with running(base, "--model", "m", "--model-url", model.url) as address:
        yield address


@pytest.fixture
def visit(browser: Any, address: str) -> Iterator[Visit]:
    visit = Visit(browser, address)
    yield visit
    visit.leave()


def reload(visit: Visit) -> None:
    visit.page.reload()
    visit.page.wait_for_selector("body[data-ready=yes]")


def send(visit: Visit, question: str, mode: str) -> None:
    visit.page.evaluate("document.getElementById('side').classList.contains('open')") or visit.page.click(
        "#side-toggle"
    )
    visit.page.check(f"input[value={mode}]")
    visit.page.fill("#question", question)
    visit.page.press("#question", "Enter")


def test_a_reload_returns_to_the_conversation_with_all_that_was_chosen(visit: Visit) -> None:
    visit.page.click("#side-toggle")
    visit.page.select_option("select[aria-label=Index]", "other")
    visit.page.check("input[value=direct]")
    visit.page.check("input[value=extractive]")
    visit.page.click("#filters [data-key=dates]")
    visit.page.locator(".panel input").first.fill("2020-01-01")
    visit.page.keyboard.press("Escape")
    visit.ask(INVOICE)
    visit.page.fill("#question", "And when must it be")
    reload(visit)
    assert visit.text(".turn .question") == INVOICE and "£339.40" in visit.text(".answer")
    assert "invoice.pdf, page 2" in visit.page.locator(".card").first.inner_text()
    assert visit.text("#filters .set") == "From 2020-01-01"
    assert visit.page.input_value("#question") == "And when must it be"
    visit.page.click("#side-toggle")
    assert visit.page.input_value("select[aria-label=Index]") == "other"
    visit.page.click("text=New conversation")
    reload(visit)
    assert visit.page.locator(".turn").count() == 0, "a new conversation stays a new one"


def test_a_reload_in_the_midst_of_an_answer_gets_it(visit: Visit, model: Scripted, held: threading.Event) -> None:
    model.script[:] = [Say(("The first words. ", "The last", " words."), then=held)]
    send(visit, INVOICE, "direct")
    visit.page.wait_for_selector(".answer >> text=The first words.")
    reload(visit)
    assert visit.text(".turn .question") == INVOICE
    visit.page.wait_for_selector("#send[aria-label=Stop]")
    held.set()
    visit.page.wait_for_selector(".answer >> text=The first words. The last words.")
    visit.page.wait_for_selector("#send[aria-label=Ask]")
    assert visit.page.locator(".turn").count() == 1 and visit.page.locator(".card").count() > 3
    assert visit.page.locator(".steps.busy").count() == 0
    visit.page.click("#side-toggle")
    assert visit.page.locator("input[value=direct]").is_checked()


def test_an_answer_can_be_stopped_after_a_reload_and_asked_again(
    visit: Visit, model: Scripted, held: threading.Event
) -> None:
    model.script[:] = [Say(("The first words. ", "never"), then=held), Say(("Whole.",))]
    send(visit, INVOICE, "direct")
    visit.page.wait_for_selector(".answer >> text=The first words.")
    reload(visit)
    visit.page.wait_for_selector("#send[aria-label=Stop]")
    visit.page.click("#send")
    visit.page.wait_for_selector("text=You stopped this answer.")
    reload(visit)
    assert "never" not in visit.text(".answer") and "You stopped this answer." in visit.text(".notes")
    visit.page.click("text=Ask again")
    visit.page.wait_for_selector(".turn:nth-of-type(2) .answer >> text=Whole.")


def test_a_failure_is_kept_and_can_be_asked_again(visit: Visit, model: Scripted) -> None:
    model.script[:] = [Fail(400, "no such model"), Say(("Now it is.",))]
    send(visit, INVOICE, "direct")
    visit.page.wait_for_selector(".answer .failure >> text=no such model")
    reload(visit)
    assert "no such model" in visit.text(".answer .failure")
    visit.page.click("text=Ask again")
    visit.page.wait_for_selector(".turn:nth-of-type(2) .answer >> text=Now it is.")


def test_a_question_outlives_the_server(browser: Any, base: Path, tmp_path: Path, held: threading.Event) -> None:
    shutil.copytree(base / "data" / "indexes" / "default", tmp_path / "data" / "indexes" / "default")
    with serving(Say(("The first words. ", "never"), then=held)) as model:
        options = ("--model", "m", "--model-url", model.url)
        with started(tmp_path, *options) as (address, process):
            visit = Visit(browser, address)
            send(visit, INVOICE, "direct")
            visit.page.wait_for_selector(".answer >> text=The first words.")
            os.kill(process.pid, signal.SIGKILL)
            visit.page.wait_for_selector(".answer .failure >> text=The server does not answer.")
            assert visit.page.locator("text=Ask again").count() == 1
            visit.page.fill("#question", "Who sent it?")
            visit.page.press("#question", "Enter")
            visit.page.wait_for_selector(".turn:nth-of-type(2) .failure")
            assert visit.page.input_value("#question") == "Who sent it?", "what did not get through is not lost"
        with running(tmp_path, *options) as later:
            visit.page.goto(later)
            visit.page.wait_for_selector("body[data-ready=yes]")
            visit.page.click("#side-toggle")
            visit.page.click(".talks .name")
            visit.page.wait_for_selector(f"text={INVOICE} >> visible=true")
            assert "stopped before this was answered" in visit.text(".answer .failure")
            visit.context.close()


def test_a_server_that_ends_in_good_order_ends_its_answers(
    browser: Any, base: Path, tmp_path: Path, held: threading.Event
) -> None:
    shutil.copytree(base / "data" / "indexes" / "default", tmp_path / "data" / "indexes" / "default")
    endless = Say(("The first words. ", "never"), then=held)
    with (
        serving(endless) as model,
        started(tmp_path, "--model", "m", "--model-url", model.url) as (address, process),
    ):
        visit = Visit(browser, address)
        send(visit, INVOICE, "direct")
        visit.page.wait_for_selector(".answer >> text=The first words.")
        visit.context.close()
        process.terminate()
        assert process.wait(timeout=60) in {0, -signal.SIGTERM}
    (kept,) = (tmp_path / "data" / "web" / "conversations").rglob("*.json")
    (turn,) = json.loads(kept.read_text("ascii"))["turns"]
    assert turn["question"] == INVOICE and turn["answer"] == {}


def test_two_tabs_keep_their_own_conversations(visit: Visit) -> None:
    visit.ask(INVOICE)
    other = visit.context.new_page()
    other.goto(visit.address)
    other.wait_for_selector("body[data-ready=yes]")
    assert INVOICE in other.locator(".turn .question").inner_text(), "a new tab begins where the last one was"
    other.click("#side-toggle")
    other.click("text=New conversation")
    other.fill("#question", "Which cycle was sold?")
    other.press("#question", "Enter")
    other.wait_for_selector(".answer:not(:empty)")
    other.wait_for_selector("#send[aria-label=Ask]")
    reload(visit)
    assert visit.page.locator(".turn .question").all_inner_texts() == [INVOICE]
    other.reload()
    other.wait_for_selector("body[data-ready=yes]")
    assert other.locator(".turn .question").all_inner_texts() == ["Which cycle was sold?"]


def test_a_conversation_that_was_removed_elsewhere_is_told_and_the_question_asked_anew(visit: Visit) -> None:
    visit.ask(INVOICE)
    conversation = visit.page.evaluate("JSON.parse(sessionStorage.getItem('haystack')).conversation")
    visit.page.request.delete(
        f"{visit.address}api/conversations/{conversation}", headers={"Sec-Fetch-Site": "same-origin"}
    )
    visit.ask("Which cycle was sold?")
    assert "not there any more" in visit.text(".answer .failure")
    visit.page.click(".turn:last-child >> text=Ask again")
    visit.page.wait_for_selector(".turn:nth-of-type(3) .answer:not(:empty)")
    assert visit.page.locator(".turn:nth-of-type(3) .failure").count() == 0


def test_an_answer_that_cannot_be_kept_is_shown_all_the_same(browser: Any, base: Path, tmp_path: Path) -> None:
    shutil.copytree(base / "data" / "indexes" / "default", tmp_path / "data" / "indexes" / "default")
    (tmp_path / "data" / "web").mkdir()
    (tmp_path / "data" / "web" / "conversations").write_text("not a folder", "utf-8")
    with running(tmp_path) as address:
        visit = Visit(browser, address)
        for _ in range(2):
            visit.ask(INVOICE)
            visit.page.wait_for_selector(".turn:last-child .notes .failure >> text=cannot be kept")
            assert "£339.40" in visit.text(".answer")
        visit.leave()


def scrolled(visit: Visit) -> int:
    return int(visit.page.evaluate("document.getElementById('rail').scrollTop"))


def is_seen(visit: Visit, number: int) -> bool:
    """Whether a card stands within the rail as it is scrolled."""
    found = visit.page.evaluate(
        "(n) => { const rail = document.getElementById('rail').getBoundingClientRect(); const card = document"
        ".getElementById(`evidence-${n}`).getBoundingClientRect();"
        " return card.top >= rail.top && card.bottom <= rail.bottom }",
        number,
    )
    return bool(found)


def test_the_evidence_of_a_new_question_is_shown_from_its_first_place(visit: Visit) -> None:
    for question in (INVOICE, "Which cycle was sold?", "Which cycle was sold?"):
        visit.ask(question)
        assert scrolled(visit) == 0 and is_seen(visit, 1)
        visit.page.evaluate("document.getElementById('rail').scrollTop = 900")
        assert scrolled(visit) > 300
    visit.page.locator(".turn").nth(0).locator(".chip").click()
    visit.page.wait_for_selector("dialog[open]")
    visit.page.keyboard.press("Escape")
    assert visit.page.locator(".card.lit").get_attribute("id") == "evidence-1" and is_seen(visit, 1)


def test_requests_are_answered_with_what_was_found(visit: Visit) -> None:
    visit.ask("photos from July 2025")
    assert visit.text(".answer").startswith("1 picture is from 2025-07.")
    assert visit.text(".answer .chip") == "1" and "quoted" not in visit.page.locator(".answer").get_attribute("class")
    assert "nearest" not in visit.text(".notes")
    reload(visit)
    assert visit.text(".answer").startswith("1 picture is from 2025-07.")
    assert "Only Photos · 2025-07-01 to 2025-07-31" in visit.text(".heard")


def test_filters_of_a_question_do_not_narrow_the_library(visit: Visit) -> None:
    visit.page.click("#filters [data-key=dates]")
    visit.page.locator(".panel input").last.fill("1999-12-31")
    visit.page.keyboard.press("Escape")
    visit.page.click("#tab-library")
    visit.page.fill("#seek", "Brightwater")
    visit.page.press("#seek", "Enter")
    visit.page.wait_for_selector(".found .card >> text=invoice.pdf")


def test_a_filter_that_nothing_has_any_more_is_told(visit: Visit, base: Path) -> None:
    visit.page.evaluate(
        "sessionStorage.setItem('haystack', JSON.stringify({ filters: { folders: ['/gone'], types: ['epub'] } }))"
    )
    reload(visit)
    visit.ask(INVOICE)
    assert f"Nothing in the folder /gone is in this index, which holds {base / 'files'}." in visit.text(".answer")
    visit.page.click("[aria-label='Remove the filter Folder']")
    visit.page.click("text=Ask again")
    visit.page.wait_for_selector(".turn:nth-of-type(2) .failure >> text=Nothing of the type epub is in this index")
