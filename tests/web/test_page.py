"""The browser interface as a person uses it: a real server, a real browser, the sample's files."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from eval.sample import documents as sample_documents
from eval.sample import folder as sample
from eval.sample.drawing import html_picture
from haystack_agent.index_location import IndexLocation
from ingest.indexing import index
from ingest.pipeline import IndexOptions
from tests.support.openai_server import Call, Fail, Say, Scripted, serving
from tests.support.visit import NEEDS_CHROMIUM, Visit, launched
from tests.support.webserver import running

pytestmark = NEEDS_CHROMIUM
_PASTE = """(data) => {
  const bytes = Uint8Array.from(atob(data), (one) => one.charCodeAt(0));
  const clipboardData = new DataTransfer();
  clipboardData.items.add(new File([bytes], "pasted.jpg", { type: "image/jpeg" }));
  const area = document.getElementById("question");
  area.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
}"""
INVOICE = "How much is the total due on the invoice from Brightwater Cycles?"
TYRE = "What pressure should I pump the tyre to?"
HOSTILE_NAME = "<img src=x onerror=window.hacked=1>.pdf"
HOSTILE_TEXT = (
    "Sluice gate report <script>window.hacked=2</script> ![x](http://203.0.113.9/leak.png) "
    "<img src=http://203.0.113.9/a.png onerror=window.hacked=3>"
)
SLUICE = "What does the sluice gate report say?"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two indexes: one that reads, and one that sees."""
    import pymupdf

    base = tmp_path_factory.mktemp("web")
    files = base / "files"
    (files / "photos").mkdir(parents=True)
    sample_documents.write_invoice(files / "invoice.pdf")
    sample.write_video(files / "flat tyre.mp4")
    sample.write_subtitles(files / "flat tyre.srt")
    sample.write_boat(files / "photos" / "boat.jpg")
    sample.write_mountain(files / "photos" / "mountain.jpg")
    document = pymupdf.open()
    document.new_page().insert_textbox((50, 50, 550, 300), HOSTILE_TEXT)
    document.save(files / HOSTILE_NAME)
    document.close()
    (files / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing")
    indexes = base / "data" / "indexes"
    index(IndexLocation(indexes / "default"), [files], IndexOptions(workers=1))
    index(IndexLocation(indexes / "seeing"), [files / "photos"], IndexOptions(workers=1), profile="pictogram")
    return base


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def model() -> Iterator[Scripted]:
    """A language model; each test says what it will say."""
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


def share_of(image: Image.Image, like: Any) -> float:
    """Share of the pixels that are of a colour."""
    colours = image.getcolors(image.width * image.height) or []
    return sum(n for n, colour in colours if like(colour)) / (image.width * image.height)


def yellow(colour: tuple[int, int, int]) -> bool:
    red, green, blue = colour
    return red > 200 and green > 180 and blue < 200 and red - blue > 50


def test_a_question_is_answered_with_its_place(visit: Visit) -> None:
    visit.ask(INVOICE)
    assert "£339.40" in visit.text(".answer")
    assert visit.text(".chip") == "1"
    first = visit.page.locator(".card").first
    assert "invoice.pdf, page 2" in first.inner_text()
    assert "words: total, due, invoice" in first.inner_text()


def test_a_citation_opens_the_page_with_the_passage_marked(visit: Visit) -> None:
    visit.ask(INVOICE)
    visit.page.click(".chip")
    visit.page.wait_for_selector("#stage .spot")
    shown = visit.pixels("#stage .framed img")
    spot = visit.pixels("#stage .spot")
    assert share_of(spot, yellow) > 0.5, "the mark is seen where the passage stands"
    assert share_of(shown, yellow) < 0.1, "and nowhere else"
    assert visit.text(".page-of") == "2 of 2"
    visit.page.click("[aria-label='Previous page']")
    visit.page.wait_for_selector("#stage .framed:not(.loading)")
    assert visit.text(".page-of") == "1 of 2"
    assert visit.page.locator("#stage .spot").count() == 0
    visit.page.keyboard.press("ArrowRight")
    visit.page.wait_for_selector("#stage .spot")
    narrow = visit.page.locator("#stage .framed").bounding_box()["width"]
    visit.page.click("[aria-label=Larger]")
    visit.page.wait_for_selector("#stage .spot")
    assert visit.page.locator("#stage .framed").bounding_box()["width"] > 1.3 * narrow
    visit.page.keyboard.press("Escape")
    assert visit.page.locator("dialog[open]").count() == 0


def test_a_clip_plays_from_its_second(visit: Visit) -> None:
    visit.ask(TYRE)
    visit.page.click(".chip")
    visit.page.wait_for_selector("#clip")
    for _ in range(100):
        state = visit.page.evaluate(
            "(() => { const v = document.querySelector('#clip'); return [v.readyState, v.currentTime] })()"
        )
        if state[0] >= 2:
            break
        visit.page.wait_for_timeout(100)
    start = float(visit.page.locator("#clip").get_attribute("src").partition("#t=")[2])
    assert start > 3
    assert start <= state[1] < start + 4


def test_filters_narrow_what_is_found_and_can_be_taken_back(visit: Visit) -> None:
    visit.page.click("#filters [data-key=modalities]")
    visit.page.get_by_label("Photos").check()
    visit.page.keyboard.press("Escape")
    visit.ask("a boat in Lisbon")
    names = visit.page.locator(".card .open").all_inner_texts()
    assert names and all(".jpg" in name for name in names)
    visit.page.click("[aria-label='Remove the filter Kind']")
    visit.ask(INVOICE)
    assert "invoice.pdf" in visit.page.locator(".card .open").first.inner_text()


def test_what_was_understood_of_a_question_is_told_and_can_be_edited(visit: Visit) -> None:
    visit.ask("photos from July 2025")
    assert "Only Photos · 2025-07-01 to 2025-07-31" in visit.text(".heard")
    assert [text for text in visit.page.locator(".card .open").all_inner_texts() if "boat" not in text] == []
    visit.page.click("text=Edit filters")
    assert "2025-07-01 to 2025-07-31" in visit.text("#filters")


def test_a_picture_finds_its_like_and_another_one_too(visit: Visit, base: Path) -> None:
    visit.page.click("#side-toggle")
    visit.page.select_option("select[aria-label=Index]", "seeing")
    visit.page.wait_for_selector("#add-picture", state="visible")
    for name in ("mountain.jpg", "boat.jpg"):
        visit.page.set_input_files("#picture-file", base / "files" / "photos" / name)
        visit.page.wait_for_selector("#query-picture img")
        visit.ask("")
        assert name in visit.page.locator(".card .open").first.inner_text()


def test_a_picture_can_be_pasted(visit: Visit, base: Path) -> None:
    visit.page.click("#side-toggle")
    visit.page.select_option("select[aria-label=Index]", "seeing")
    visit.page.wait_for_selector("#add-picture", state="visible")
    data = base64.b64encode((base / "files" / "photos" / "boat.jpg").read_bytes()).decode()
    visit.page.evaluate(_PASTE, data)
    visit.page.wait_for_selector("#query-picture img")
    visit.ask("")
    assert "boat.jpg" in visit.page.locator(".card .open").first.inner_text()


def test_places_are_excluded_and_similar_ones_shown(visit: Visit) -> None:
    visit.ask(INVOICE)
    visit.page.locator("[aria-label=Exclude]").first.click()
    visit.page.click("text=Ask again without")
    visit.page.wait_for_selector(".turn:nth-of-type(2) .answer:not(:empty)")
    visit.page.wait_for_selector("#send[aria-label=Ask]")
    assert "£339.40" not in visit.text(".turn:nth-of-type(2) .answer")
    visit.page.locator("[aria-label='Show similar']").first.click()
    visit.page.wait_for_selector(".rail h2:has-text('Like')")
    assert visit.page.locator(".card").count() > 0


def test_conversations_are_kept_renamed_exported_and_deleted(visit: Visit) -> None:
    visit.ask(INVOICE)
    visit.page.reload()
    visit.page.wait_for_selector("body[data-ready=yes]")
    visit.page.click("#side-toggle")
    visit.page.click(".talks .name")
    visit.page.wait_for_selector(".answer:not(:empty)")
    assert "£339.40" in visit.text(".answer")
    assert visit.page.locator(".card").count() > 3
    visit.page.click(".talks .more")
    with visit.page.expect_download() as download:
        visit.page.click("text=Export as Markdown")
    written = Path(download.value.path()).read_text("utf-8")
    assert "[invoice.pdf, page 2](<file:///" in written and "invoice.pdf#page=2>)" in written
    visit.page.click(".talks .more")
    visit.page.click(".menu >> text=Rename")
    visit.page.fill("#prompt input", "The bill")
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_selector(".talks >> text=The bill")
    visit.page.click(".talks .more")
    visit.page.click(".menu >> text=Delete")
    visit.page.click("#prompt .primary")
    visit.page.wait_for_selector("text=Your questions will be kept here.")


def test_the_library_shows_everything_and_why_something_failed(visit: Visit) -> None:
    visit.page.click("#tab-library")
    visit.page.wait_for_selector(".tile")
    assert visit.page.locator(".tile").count() == 5
    visit.page.click(".trouble summary")
    assert "broken.pdf" in visit.text(".problems")
    visit.page.click(".kinds >> text=Videos")
    visit.page.wait_for_selector(".tile:only-child")
    assert "flat tyre.mp4" in visit.text(".tile")
    visit.page.click(".kinds >> text=Everything")
    visit.page.fill("#seek", "brake pads")
    visit.page.press("#seek", "Enter")
    visit.page.wait_for_selector(".found .card")
    assert "invoice.pdf" in visit.page.locator(".found .open").first.inner_text()


def test_keys_reach_everything(visit: Visit) -> None:
    visit.ask(INVOICE)
    visit.page.locator("#question").blur()
    visit.page.keyboard.press("/")
    assert visit.page.evaluate("document.activeElement.id") == "question"
    visit.page.keyboard.press("Escape")
    visit.page.keyboard.press("ArrowDown")
    visit.page.keyboard.press("ArrowDown")
    assert visit.page.evaluate("document.activeElement.closest('.card').id") == "evidence-2"
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_selector("dialog[open]")
    visit.page.keyboard.press("Escape")
    assert visit.page.evaluate("document.activeElement.closest('.card').id") == "evidence-2"


def test_hostile_names_and_texts_are_shown_and_never_run(visit: Visit) -> None:
    visit.ask(SLUICE)
    assert HOSTILE_NAME in visit.text("#cards .card:has-text('onerror')")
    assert visit.page.locator(".thread img, .thread script, .snippet img").count() == 0
    visit.page.locator(".card:has-text('Sluice') .open").first.click()
    visit.page.wait_for_selector("#stage .framed:not(.loading)")
    assert "<script>window.hacked=2</script>" in visit.text(".about")


@pytest.mark.parametrize("dark", [False, True])
def test_text_can_be_read_in_both_schemes(browser: Any, address: str, dark: bool) -> None:
    """WCAG AA: 4.5 to 1 for every text on the page against what is behind it."""
    visit = Visit(browser, address, color_scheme="dark" if dark else "light")
    visit.ask(INVOICE)
    visit.page.click("#side-toggle")
    visit.page.wait_for_selector(".talks")
    background = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, background.strip("rgb()").split(","))) < 200) is dark
    assert not visit.page.evaluate(_TOO_FAINT)
    visit.leave()


_TOO_FAINT = """(() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = (text) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
    const d = canvas.getImageData(0, 0, 1, 1).data; return [d[0], d[1], d[2], d[3] / 255]; };
  const linear = (v) => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const parts = [.2126, .7152, .0722];
  const light = (rgb) => parts.reduce((sum, part, place) => sum + part * linear(rgb[place] / 255), 0);
  const behind = (element) => { for (let e = element; e; e = e.parentElement) {
    const c = rgba(getComputedStyle(e).backgroundColor); if (c[3] > .9) return c; } return [255, 255, 255, 1]; };
  const faint = [];
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.checkVisibility() || e.closest(':disabled, label:has(:disabled), .unseen, .skip')) continue;
    const a = light(rgba(getComputedStyle(e).color)), b = light(behind(e));
    const contrast = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (contrast < 4.5) faint.push([e.className, e.textContent.slice(0, 30), contrast]);
  }
  return faint;
})()"""


def test_a_phone_shows_all_of_it(browser: Any, address: str) -> None:
    visit = Visit(browser, address, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    visit.ask(INVOICE)
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert not visit.page.locator(".card").first.is_visible()
    visit.page.click(".to-rail")
    assert visit.page.locator(".card").first.is_visible()
    visit.page.locator(".card .open").first.click()
    visit.page.wait_for_selector("#stage .spot")
    assert visit.page.evaluate("document.querySelector('#viewer').scrollWidth") <= 390
    visit.page.click(".shut")
    visit.page.click("[aria-label='Close the evidence']")
    visit.page.click("#tab-library")
    visit.page.wait_for_selector(".tile")
    assert visit.page.evaluate("document.querySelector('#view-library').scrollWidth") <= 390
    visit.page.click("#tab-evaluation")
    visit.page.wait_for_selector("#eval-start")
    assert visit.page.evaluate("document.querySelector('#view-evaluation').scrollWidth") <= 390
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 390
    visit.leave()


def test_every_picture_and_button_has_a_name(visit: Visit) -> None:
    visit.ask(INVOICE)
    nameless = visit.page.evaluate(
        "[...document.querySelectorAll('button, a, input:not([hidden]), textarea')].filter((e) => e.checkVisibility() "
        "&& !e.textContent.trim() && !e.getAttribute('aria-label') && !e.labels?.length).map((e) => e.outerHTML)"
    )
    assert not nameless
    assert not visit.page.evaluate("[...document.images].filter((one) => !one.hasAttribute('alt')).length")


def test_a_model_answers_and_a_follow_up_is_understood(visit: Visit, model: Scripted) -> None:
    picture = "<img src=http://203.0.113.9/x.png> ![y](http://203.0.113.9/y.png)"
    leak = f"4.5 bar [1]. {picture} <script>window.hacked=4</script>"
    follow_up = '{"question": "Which levers for the tyre?"}'
    model.script[:] = [Say((leak[:9], leak[9:]), pause=0.2), Say((follow_up,)), Say(("Plastic ones [1].",))]
    visit.page.click("#side-toggle")
    visit.page.check("input[value=direct]")
    visit.ask(TYRE)
    assert visit.text(".answer").startswith("4.5 bar 1.")
    assert visit.page.locator(".thread img, .thread script").count() == 0
    visit.ask("And which levers?")
    assert "Understood as: Which levers for the tyre?" in visit.text(".heard")
    assert visit.text(".turn:last-child .answer") == "Plastic ones 1."
    assert TYRE in str(model.received[1])


def test_what_an_agent_does_is_shown_and_then_folded(visit: Visit, model: Scripted, held: threading.Event) -> None:
    model.script[:] = [Call("search", {"query": "tyre pressure"}), Say(("4.5", " bar [1]."), then=held)]
    visit.page.click("#side-toggle")
    visit.page.check("input[value=agent]")
    visit.page.fill("#question", TYRE)
    visit.page.press("#question", "Enter")
    visit.page.wait_for_selector(".card .open >> text=flat tyre.mp4")
    assert "bar" not in visit.text(".answer"), "what was found is shown while the model still writes"
    held.set()
    visit.page.wait_for_selector("#send[aria-label=Ask]")
    assert visit.text(".answer") == "4.5 bar 1."
    assert visit.page.locator(".steps").evaluate("(steps) => !steps.open && !steps.hidden")
    visit.page.click(".steps summary")
    assert "search" in visit.text(".steps ol")
    assert "flat tyre.mp4" in visit.page.locator(".card .open").first.inner_text()


def test_an_answer_can_be_stopped(visit: Visit, model: Scripted, held: threading.Event) -> None:
    model.script[:] = [Say(("The first words. ", "never", " seen"), then=held)]
    visit.page.click("#side-toggle")
    visit.page.check("input[value=direct]")
    visit.page.fill("#question", TYRE)
    visit.page.press("#question", "Enter")
    visit.page.wait_for_selector(".answer >> text=The first words.")
    visit.page.click("#send")
    visit.page.wait_for_selector("text=You stopped this answer.")
    assert "never" not in visit.text(".answer")
    visit.page.reload()
    visit.page.wait_for_selector("body[data-ready=yes]")
    visit.page.click("#side-toggle")
    visit.page.click(".talks .name")
    visit.page.wait_for_selector("text=You stopped this answer.")


def test_a_new_conversation_leaves_an_answer_behind(visit: Visit, model: Scripted, held: threading.Event) -> None:
    model.script[:] = [Say(("The first words. ", "never", " seen"), then=held)]
    visit.page.click("#side-toggle")
    visit.page.check("input[value=direct]")
    visit.page.fill("#question", TYRE)
    visit.page.press("#question", "Enter")
    visit.page.wait_for_selector(".answer >> text=The first words.")
    visit.page.click("text=New conversation")
    visit.page.wait_for_selector("#send[aria-label=Ask]")
    visit.page.check("input[value=extractive]")
    visit.ask(INVOICE)
    assert "£339.40" in visit.text(".answer") and visit.page.locator(".turn").count() == 1
    before = len(model.hung_up)
    held.set()
    while len(model.hung_up) == before:
        visit.page.wait_for_timeout(100)
    visit.page.wait_for_timeout(1000)
    assert "invoice.pdf" in visit.page.locator(".card .open").first.inner_text(), "the old answer's places do not come"


def test_a_model_that_fails_is_told_in_words(visit: Visit, model: Scripted) -> None:
    model.script[:] = [Fail(400, "no such &lt;b&gt;model")]
    visit.page.click("#side-toggle")
    visit.page.check("input[value=direct]")
    visit.ask(TYRE)
    assert "(no such &lt;b&gt;model)" in visit.text(".answer .failure")


def test_the_first_start_asks_for_a_folder_and_indexing_can_be_stopped(browser: Any, tmp_path: Path) -> None:
    files, more = tmp_path / "papers", tmp_path / "more"
    files.mkdir()
    more.mkdir()
    sample_documents.write_invoice(files / "invoice.pdf")
    (files / "note.md").write_text("# Garden\n\nThe lock's combination is 4711.\n", "utf-8")
    for number in range(24):
        words = f"<p style='font-size:30px'>Ticket number {number * 7919} to Lyon</p>" * 6
        html_picture(words, (900, 500)).save(more / f"{number}.png")
    with running(tmp_path) as address:
        visit = Visit(browser, address)
        assert visit.page.evaluate("document.body.dataset.view") == "start"
        visit.page.fill("#start-folder", str(tmp_path / "nowhere"))
        visit.page.press("#start-folder", "Enter")
        visit.page.wait_for_selector("text=There is no folder")
        visit.page.fill("#start-folder", str(files))
        visit.page.wait_for_selector("text=2 documents. Reading them takes about")
        visit.page.click("#start-go")
        visit.page.wait_for_selector("[role=progressbar]")
        visit.page.wait_for_selector("body[data-view=ask]")
        visit.ask("What is the combination of the lock?")
        assert "4711" in visit.text(".answer")
        _add_and_stop(visit, more)
        visit.leave()


def test_loaded_anew_while_the_first_folder_is_read_the_page_tells_how_far_it_is(visit: Visit) -> None:
    job = {"running": True, "stopping": False, "error": None}

    def still_reading(route: Any) -> None:
        route.fulfill(json={**route.fetch().json(), "ready": False, "job": job})

    visit.page.route("**/api/state*", still_reading)
    visit.page.route("**/api/progress/*", lambda route: route.fulfill(json=job))
    visit.page.reload()
    visit.page.wait_for_selector("#start-progress [role=progressbar]")
    assert visit.page.locator("#start-folder").count() == 0
    visit.page.unroute_all(behavior="wait")


def _add_and_stop(visit: Visit, folder: Path) -> None:
    """Indexing goes on while one asks, answers say so, and it can be stopped."""
    visit.page.click("#tab-library")
    visit.page.fill("#add-folder", str(folder))
    visit.page.press("#add-folder", "Enter")
    visit.page.wait_for_selector("text=/Reading: \\d+ of 24 files/")
    visit.page.click("#tab-ask")
    visit.ask(INVOICE)
    assert "£339.40" in visit.text(".answer")
    assert "Not all files are read yet" in visit.text(".notes")
    visit.page.click("#tab-library")
    visit.page.click("#cancel-job")
    visit.page.wait_for_selector("text=Stopped. What was read is kept")
    visit.page.wait_for_selector("#update:not(:disabled)")
