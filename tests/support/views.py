"""Every view of the page, as a person brings it about, over files that strain it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openpyxl
from PIL import Image

from eval.sample import documents as sample_documents
from eval.sample import folder as sample
from eval.sample.drawing import html_picture
from haystack_agent.index_location import IndexLocation
from ingest.indexing import index
from ingest.pipeline import IndexOptions
from tests.support.openai_server import Fail, Say, Scripted
from tests.support.visit import Visit
from tests.support.webserver import running

DESK, PHONE = {"width": 1360, "height": 860}, {"width": 390, "height": 844}
INVOICE = "How much is the total due on the invoice from Brightwater Cycles?"
BOAT = "a boat in Lisbon"
TYRE = "What pressure should I pump the tyre to?"
ENDLESS = "Donaudampfschifffahrtselektrizitaetenhauptbetriebswerkbauunterbeamtengesellschaft" * 2
ARABIC = "كلمة السر الخاصة بالخزانة الزرقاء هي زيتون."
ASKED_ARABIC = "ما هي كلمة السر الخاصة بالخزانة الزرقاء؟"


@dataclass(frozen=True)
class World:
    """Servers to visit, each started when it is first asked for: over a full index, over none, behind a password."""

    base: Path
    model: Scripted
    stack: ExitStack
    held: threading.Event
    """What an answer waits for that is looked at while it is given."""
    started: dict[str, str] = field(default_factory=dict)

    @property
    def files(self) -> Path:
        return self.base / "full" / "files"

    @property
    def full(self) -> str:
        return self._server("full", "--model", "m", "--model-url", self.model.url, HAYSTACK_MODEL_TIMEOUT="900")

    @property
    def bare(self) -> str:
        return self._server("bare")

    @property
    def reading(self) -> str:
        return self._server("reading")

    @property
    def locked(self) -> str:
        return self._server("locked", HAYSTACK_UI_PASSWORD="open sesame")

    def _server(self, name: str, *options: str, **variables: str) -> str:
        folder = self.base / name
        folder.mkdir(exist_ok=True)
        if name not in self.started:
            self.started[name] = self.stack.enter_context(running(folder, *options, **variables))
        return self.started[name]


@contextmanager
def made(base: Path, model: Scripted) -> Iterator[World]:
    """A world in a folder, with a language model to ask."""
    files, indexes = base / "full" / "files", base / "full" / "data" / "indexes"
    _write_files(files)
    index(IndexLocation(indexes / "default"), [files], IndexOptions(workers=1))
    index(IndexLocation(indexes / "another one"), [files / "photos"], IndexOptions(workers=1))
    (files / "gone.jpg").unlink()
    with ExitStack() as stack:
        world = World(base, model, stack, threading.Event())
        yield world
        world.held.set()


def _write_files(files: Path) -> None:
    (files / "photos").mkdir(parents=True)
    sample_documents.write_invoice(files / "invoice.pdf")
    sample.write_video(files / "flat tyre.mp4")
    sample.write_subtitles(files / "flat tyre.srt")
    sample.write_boat(files / "photos" / "boat.jpg")
    sample.write_mountain(files / "photos" / "mountain.jpg")
    Image.new("RGB", (640, 480), "teal").save(files / "gone.jpg")  # no copy: the same picture elsewhere would be shown
    (files / f"{ENDLESS}.md").write_text(f"# {ENDLESS}\n\nThe endless word is {ENDLESS * 3}.\n", "utf-8")
    (files / "خزانة.txt").write_text(ARABIC, "utf-8")
    (files / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing")
    (files / f"broken {ENDLESS}.pdf").write_bytes(b"%PDF-1.7\nnothing")
    _write_wide(files / "wide.xlsx")
    asked = '{"id": "%s", "question": "%s", "language": "en", "answer": "%s", "modality": "document", "needs": "text", "evidence": "%s"}\n'  # noqa: E501
    lines = [
        asked % ("found", INVOICE, "£339.40", "invoice.pdf"),
        asked % ("missed", f"Which colour is the total due to {ENDLESS}?", ENDLESS, "photos/boat.jpg"),
        asked % ("arabic", ASKED_ARABIC, "زيتون", "flat tyre.mp4"),
    ]
    (files / "questions.jsonl").write_text("".join(lines), "utf-8")


def _many_pictures(folder: Path) -> Path:
    """So many that reading them goes on for as long as anybody looks at it."""
    folder.mkdir(exist_ok=True)
    picture = html_picture("<p style='font-size:30px'>Ticket number 7919 to Lyon</p>" * 6, (900, 500))
    for number in range(200):
        picture.putpixel((0, 0), (number, 0, 0))  # copies would be read once
        picture.save(folder / f"{number} {ENDLESS}.png")
    return folder


def _write_wide(path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append([f"Quantity{number}" for number in range(40)])
    sheet.append([f"{number}0000000" for number in range(40)])
    book.save(path)


View = Callable[[Any, World], Visit]
VIEWS: dict[str, View] = {}


def view(function: View) -> View:
    VIEWS[function.__name__.removeprefix("_")] = function
    return function


def _visit(browser: Any, world: World, **options: Any) -> Visit:
    return Visit(browser, world.full, **options)


def _asked(browser: Any, world: World, question: str, **options: Any) -> Visit:
    visit = _visit(browser, world, **options)
    visit.ask(question)
    return visit


@view
def _start(browser: Any, world: World) -> Visit:
    visit = Visit(browser, world.bare)
    visit.page.fill("#start-folder", str(world.base / "nowhere"))
    visit.page.press("#start-folder", "Enter")
    visit.page.wait_for_selector("#start-note .failure")
    return visit


@view
def _welcome(browser: Any, world: World) -> Visit:
    visit = _visit(browser, world)
    visit.page.wait_for_selector(".examples button")
    return visit


@view
def _answered(browser: Any, world: World) -> Visit:
    return _asked(browser, world, INVOICE)


@view
def _answered_in_arabic(browser: Any, world: World) -> Visit:
    visit = _asked(browser, world, ASKED_ARABIC)
    visit.ask(f"What is the endless word {ENDLESS}?")
    return visit


@view
def _answering(browser: Any, world: World) -> Visit:
    world.model.script[:] = [Say(("The pressure ", "is 4.5 bar [1]."), then=world.held)]
    visit = _visit(browser, world)
    visit.page.click("#side-toggle")
    visit.page.check("input[value=direct]")
    visit.page.fill("#question", TYRE)
    visit.page.press("#question", "Enter")
    visit.page.wait_for_selector(".answer >> text=The pressure")
    return visit


@view
def _model_failed(browser: Any, world: World) -> Visit:
    world.model.script[:] = [Fail(400, f"no such model {ENDLESS}")]
    visit = _visit(browser, world)
    visit.page.click("#side-toggle")
    visit.page.check("input[value=direct]")
    visit.ask(TYRE)
    return visit


@view
def _understood_and_excluded(browser: Any, world: World) -> Visit:
    visit = _asked(browser, world, "photos from July 2025")
    visit.page.click("text=Edit filters")
    visit.page.locator("[aria-label^=Exclude]").first.click()
    visit.page.wait_for_selector(".card.out")
    return visit


@view
def _evidence_on_a_phone(browser: Any, world: World) -> Visit:
    visit = _asked(browser, world, INVOICE, viewport=PHONE)
    visit.page.click(".to-rail")
    visit.page.wait_for_selector(".rail.open .card")
    return visit


@view
def _filters(browser: Any, world: World) -> Visit:
    visit = _visit(browser, world)
    visit.page.click("#filters [data-key=folders]")
    visit.page.wait_for_selector(".panel .choice")
    return visit


@view
def _dates(browser: Any, world: World) -> Visit:
    visit = _visit(browser, world)
    visit.page.click("#filters [data-key=dates]")
    visit.page.wait_for_selector(".panel .date")
    return visit


@view
def _a_page(browser: Any, world: World) -> Visit:
    visit = _asked(browser, world, INVOICE)
    visit.page.click(".chip")
    visit.page.wait_for_selector("#stage .spot")
    return visit


@view
def _a_photo(browser: Any, world: World) -> Visit:
    visit = _asked(browser, world, BOAT)
    visit.page.locator(".card:has-text('boat.jpg') .open").first.click()
    visit.page.wait_for_selector("#stage .framed:not(.loading)")
    return visit


@view
def _a_clip(browser: Any, world: World) -> Visit:
    visit = _asked(browser, world, TYRE)
    visit.page.click(".chip")
    visit.page.wait_for_selector("#clip")
    return visit


@view
def _a_text(browser: Any, world: World) -> Visit:
    visit = _asked(browser, world, f"What is the endless word {ENDLESS}?")
    visit.page.locator(".card:has-text('Donau') .open").first.click()
    visit.page.wait_for_selector("#stage mark")
    return visit


@view
def _an_arabic_text(browser: Any, world: World) -> Visit:
    visit = _asked(browser, world, ASKED_ARABIC)
    visit.page.locator(".card:has-text('خزانة') .open").first.click()
    visit.page.wait_for_selector("#stage mark")
    return visit


@view
def _a_wide_sheet(browser: Any, world: World) -> Visit:
    visit = _library(browser, world)
    visit.page.click(".tile >> text=wide.xlsx")
    visit.page.wait_for_selector("#stage .words mark")
    return visit


@view
def _a_missing_file(browser: Any, world: World) -> Visit:
    visit = _library(browser, world)
    visit.page.click(".tile >> text=gone.jpg")
    visit.page.wait_for_selector("#stage .failure")
    return visit


@view
def _library(browser: Any, world: World) -> Visit:
    visit = _visit(browser, world)
    visit.page.click("#tab-library")
    visit.page.wait_for_selector(".tile")
    return visit


@view
def _library_with_problems(browser: Any, world: World) -> Visit:
    visit = _library(browser, world)
    visit.page.click(".trouble summary")
    visit.page.wait_for_selector(".problems li")
    return visit


@view
def _library_searched(browser: Any, world: World) -> Visit:
    visit = _library(browser, world)
    visit.page.fill("#seek", f"brake pads {ENDLESS}")
    visit.page.press("#seek", "Enter")
    visit.page.wait_for_selector(".found .card")
    return visit


@view
def _adding_a_folder(browser: Any, world: World) -> Visit:
    visit = _library(browser, world)
    visit.page.fill("#add-folder", str(world.files))
    visit.page.press("#add-folder", "Tab")
    visit.page.wait_for_selector("text=Reading them takes about")
    return visit


@view
def _evaluation(browser: Any, world: World) -> Visit:
    visit = _visit(browser, world)
    visit.page.click("#tab-evaluation")
    visit.page.wait_for_selector("#eval-start", state="attached")
    return visit


def _evaluate(visit: Visit) -> None:
    """Make one more evaluation: it stands first, and is looked through as soon as it is done."""
    before = visit.page.locator(".runs tbody tr").count()
    visit.page.evaluate("document.querySelector('#evaluate details').open = true")
    visit.page.click("#eval-start")
    visit.page.wait_for_selector(f".runs tbody tr >> nth={before}")
    visit.page.wait_for_selector(".runs tbody tr:first-child.here")
    visit.page.wait_for_selector(".run .misses li")


@view
def _evaluated(browser: Any, world: World) -> Visit:
    visit = _evaluation(browser, world)
    _evaluate(visit)
    return visit


@view
def _evaluations_compared(browser: Any, world: World) -> Visit:
    visit = _evaluation(browser, world)
    for _ in range(visit.page.locator(".runs tbody tr").count(), 2):
        _evaluate(visit)
    for place in (0, 1):
        visit.page.locator(".runs input[type=checkbox]").nth(place).check()
    visit.page.click("#compare")
    visit.page.wait_for_selector("#run h2:has-text('against')")
    return visit


@view
def _conversations(browser: Any, world: World) -> Visit:
    visit = _asked(browser, world, f"{ENDLESS}?")
    visit.page.click("#side-toggle")
    visit.page.wait_for_selector(".talks .name")
    return visit


@view
def _a_conversation_s_menu(browser: Any, world: World) -> Visit:
    visit = _conversations(browser, world)
    visit.page.click(".talks .more")
    visit.page.wait_for_selector(".menu")
    return visit


@view
def _renaming_a_conversation(browser: Any, world: World) -> Visit:
    visit = _a_conversation_s_menu(browser, world)
    visit.page.click(".menu >> text=Rename")
    visit.page.wait_for_selector("#prompt input")
    return visit


@view
def _server_lost(browser: Any, world: World) -> Visit:
    visit = _library(browser, world)
    visit.context.set_offline(True)
    visit.page.fill("#seek", "brake pads")
    visit.page.press("#seek", "Enter")
    visit.page.wait_for_selector("#browse .failure")
    return visit


@view
def _page_that_cannot_be_shown(browser: Any, world: World) -> Visit:
    visit = _visit(browser, world)
    visit.page.route("**/api/state*", lambda route: route.abort())
    visit.page.reload()
    visit.page.wait_for_selector("#view-start .failure")
    return visit


@view
def _login(browser: Any, world: World) -> Visit:
    return Visit(browser, f"{world.locked}login", ready="#password")


@view
def _wrong_login(browser: Any, world: World) -> Visit:
    visit = _login(browser, world)
    visit.page.fill("#password", "close sesame")
    visit.page.press("#password", "Enter")
    visit.page.wait_for_selector(".failure")
    return visit


# Last: while so much is read, everything else is slow.
@view
def _reading(browser: Any, world: World) -> Visit:
    visit = Visit(browser, world.reading)
    visit.page.fill("#start-folder", str(_many_pictures(world.base / "pictures")))
    visit.page.press("#start-folder", "Enter")
    visit.page.wait_for_selector("#start-progress [role=progressbar]")
    return visit


@view
def _library_while_reading(browser: Any, world: World) -> Visit:
    """After the page was loaded anew, which tells how far the reading is until there is something to ask."""
    if "reading" not in world.started:
        _reading(browser, world).leave()
    visit = Visit(browser, world.reading)
    visit.page.wait_for_selector("#start-ask, #question", timeout=240_000)  # until the first picture is read
    if visit.page.locator("#start-ask").count():
        visit.page.click("#start-ask")
    visit.page.click("#tab-library")
    visit.page.wait_for_selector("#job [role=progressbar]")
    return visit
