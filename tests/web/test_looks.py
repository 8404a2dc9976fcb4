"""The page for everyone: read aloud, walked by keys, in both colour schemes, on the narrowest screens and at 400 %."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.axe import NEEDS_AXE, colour_faults, faults
from tests.support.openai_server import Say, Scripted, serving
from tests.support.views import ASKED_ARABIC, BOAT, DESK, INVOICE, PHONE, TYRE, VIEWS, World, made
from tests.support.visit import NEEDS_CHROMIUM, Visit, launched

pytestmark = NEEDS_CHROMIUM
NARROW = [(320, 568), (340, 640), (360, 740), (390, 844), (320, 256)]
"""The last is 1280 x 1024 at 400 %."""


@pytest.fixture(scope="module")
def model() -> Iterator[Scripted]:
    with serving() as model:
        yield model


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, model: Scripted) -> Iterator[World]:
    with made(tmp_path_factory.mktemp("looks"), model) as world:
        yield world


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as browser:
        yield browser


@pytest.fixture
def visit(browser: Any, world: World) -> Iterator[Visit]:
    visit = Visit(browser, world.full)
    yield visit
    visit.leave()


def _focused(visit: Visit) -> str:
    return str(
        visit.page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent")
    )


@pytest.mark.parametrize("question", [INVOICE, BOAT, TYRE])
def test_esc_closes_the_viewer_and_gives_the_focus_back(visit: Visit, question: str) -> None:
    visit.ask(question)
    opener = visit.page.locator(".card .open").first
    opener.focus()
    before = _focused(visit)
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_selector("dialog[open]")
    visit.page.keyboard.press("PageDown")
    assert visit.page.evaluate("document.querySelector('dialog').contains(document.activeElement)")
    visit.page.keyboard.press("Escape")
    visit.page.wait_for_selector("dialog[open]", state="hidden")
    assert _focused(visit) == before != ""


def test_a_click_beside_the_title_of_a_card_opens_it_too(visit: Visit) -> None:
    visit.ask(INVOICE)
    visit.page.locator(".card .why").first.click()
    visit.page.wait_for_selector("dialog[open]")
    visit.page.keyboard.press("Escape")
    assert visit.page.evaluate("document.activeElement.closest('.card').id") == "evidence-1"


def test_the_focus_stays_where_something_is_drawn_anew(visit: Visit) -> None:
    visit.ask(INVOICE)
    for label, then in (("Exclude", "Take back"), ("Show similar", "Back")):
        visit.page.locator(f"[aria-label='{label}']").first.focus()
        visit.page.keyboard.press("Enter")
        visit.page.wait_for_function("(text) => document.activeElement.textContent === text", arg=then)
    visit.page.click("#side-toggle")
    visit.page.locator(".talks .name").first.focus()
    name = _focused(visit)
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_selector(".talks .here .name")
    assert _focused(visit) == name
    visit.page.click("#filters [data-key=modalities]")
    visit.page.get_by_label("Photos").check()
    visit.page.keyboard.press("Escape")
    visit.page.locator("[aria-label='Remove the filter Kind']").focus()
    visit.page.keyboard.press("Enter")
    assert _focused(visit) == "Kind"


def test_what_lies_over_a_phone_s_page_gives_the_focus_back(browser: Any, world: World) -> None:
    visit = Visit(browser, world.full, viewport=PHONE)
    visit.ask(INVOICE)
    for toggle, within in (("rail", "#rail"), ("side", "#side")):
        visit.page.focus(f"#{toggle}-toggle")
        visit.page.keyboard.press("Enter")
        visit.page.locator(f"{within} button").last.focus()
        assert visit.page.get_attribute(f"#{toggle}-toggle", "aria-expanded") == "true"
        visit.page.keyboard.press("Escape")
        assert visit.page.evaluate("document.activeElement.id") == f"{toggle}-toggle"
        assert visit.page.get_attribute(f"#{toggle}-toggle", "aria-expanded") == "false"
    visit.leave()


def test_an_answer_is_read_aloud_by_sentences_and_not_by_tokens(visit: Visit, model: Scripted) -> None:
    sentences = [f"The {word} pressure is 4.5 bar. " for word in ("first", "second", "third", "last")]
    tokens = tuple(token for sentence in sentences for token in sentence.replace(" ", " \0").split("\0") if token)
    model.script[:] = [Say(tokens, pause=0.5)]
    visit.page.evaluate("""() => {
      window.heard = [];
      const note = () => heard.push(document.querySelector('#announce').textContent);
      new MutationObserver(note).observe(document.querySelector('#announce'), { childList: true, characterData: true });
    }""")
    visit.page.click("#side-toggle")
    visit.page.check("input[value=direct]")
    visit.ask(TYRE)
    heard = visit.page.evaluate("heard")
    assert " ".join(heard).split() == "".join(sentences).split(), "each word once"
    assert heard[0].startswith(sentences[0].strip())
    assert 1 < len(heard) <= len(sentences), "neither all at the end nor each token"
    assert visit.page.locator(":is([aria-live], [role=status], [role=log]) .answer").count() == 0


def test_text_says_its_language_and_runs_its_way(visit: Visit) -> None:
    visit.ask(ASKED_ARABIC)
    visit.page.wait_for_selector(".snippet[lang=ar]")
    for selector in (".turn .question", ".answer", ".snippet[lang=ar]"):
        assert visit.page.locator(selector).first.evaluate("(one) => getComputedStyle(one).direction") == "rtl", (
            selector
        )
    visit.page.locator(".card:has-text('خزانة') .open").first.click()
    visit.page.wait_for_selector("#stage .piece[lang=ar][dir=auto] mark")


def test_an_enlarged_page_is_panned_and_a_fitting_one_follows_the_window(visit: Visit) -> None:
    visit.ask(INVOICE)
    visit.page.click(".chip")
    pans = "document.querySelector('#stage').scrollWidth > document.querySelector('#stage').clientWidth"
    for label in ("Larger", "Larger", "Larger"):
        visit.page.click(f"[aria-label='{label}']")
    visit.page.wait_for_selector("#stage .framed:not(.loading)")
    assert visit.page.evaluate(pans), "three times as wide as the window: that is what enlarging is for"
    visit.page.click("[aria-label='Fit']")
    visit.page.wait_for_selector("#stage .framed:not(.loading)")
    for width in (1360, 870, 400):
        visit.page.set_viewport_size({"width": width, "height": 700})
        assert not visit.page.evaluate(pans), width


_MOVING = """() => [...document.querySelectorAll('*')].filter((one) => ['', '::before', '::after'].some((part) => {
  const style = getComputedStyle(one, part || null);
  return style.animationName !== 'none' || style.scrollBehavior === 'smooth';
})).map((one) => one.className)"""


def test_nothing_moves_by_itself_where_that_is_not_wanted(browser: Any, world: World) -> None:
    visit = Visit(browser, world.full, reduced_motion="reduce")
    visit.ask(TYRE)
    visit.page.evaluate(
        "() => { const one = document.querySelector('.steps'); one.classList.add('busy'); one.hidden = 0; }"
    )
    assert visit.page.evaluate(_MOVING) == []
    visit.page.click(".chip")
    assert visit.page.locator("#clip").evaluate("(clip) => !clip.autoplay && clip.paused")
    visit.leave()


def test_states_are_told_in_colours_of_the_person_s_own(browser: Any, world: World) -> None:
    """Where backgrounds are taken away: which tab is chosen, how far something is, what is marked."""
    visit = Visit(browser, world.full, forced_colors="active")
    visit.ask(INVOICE)
    colour = "(one) => getComputedStyle(one)"
    tabs = [visit.page.locator(f"#tab-{name}").evaluate(f"{colour}.borderBottomColor") for name in ("ask", "library")]
    assert tabs[0] != tabs[1]
    meter, fill = (
        visit.page.locator(one).first.evaluate(f"{colour}.backgroundColor") for one in (".meter", ".meter i")
    )
    assert meter != fill
    visit.page.click(".chip")
    visit.page.wait_for_selector("#stage .spot")
    assert visit.page.locator("#stage .spot").first.evaluate(f"{colour}.backgroundColor") != "rgba(0, 0, 0, 0)"
    visit.leave()


@pytest.fixture(scope="module", params=VIEWS)
def shown(request: pytest.FixtureRequest, browser: Any, world: World) -> Iterator[Visit]:
    """Each view, as a person brings it about."""
    visit = VIEWS[request.param](browser, world)
    yield visit
    visit.context.close()


@NEEDS_AXE
def test_axe_finds_no_fault(shown: Visit) -> None:
    found = []
    for size in (DESK, PHONE):
        shown.page.set_viewport_size(size)
        for scheme, look in (("light", faults), ("dark", colour_faults)):
            shown.page.emulate_media(color_scheme=scheme)
            found += [f"{size['width']} {scheme} {fault}" for fault in look(shown.page)]
    assert not found, "\n".join(found)


_SIDEWAYS = """async () => {
  const drawn = () => new Promise((resolve) => requestAnimationFrame(resolve));
  await drawn().then(drawn);  // what follows the size of the window has done so
  const scrolls = (one) => one.clientWidth > 1 && one.scrollWidth > one.clientWidth
    && ['auto', 'scroll'].includes(getComputedStyle(one).overflowX) && !one.closest('.wide');
  const ends = (one) => getComputedStyle(one).textOverflow === 'ellipsis';
  const cut = (one) => one && (ends(one) || cut(one.parentElement));
  const outside = (one) => {
    const box = one.getBoundingClientRect();
    return box.width > 1 && box.height > 1 && (box.right > innerWidth + 1 || box.left < -1)
      && !one.closest('.skip, .wide, .face, .side:not(.open)') && !cut(one.parentElement);
  };
  const all = [...document.querySelectorAll('body *')];
  const seen = all.filter((one) => one.checkVisibility({ visibilityProperty: true }));
  const told = seen.filter((one) => scrolls(one) || outside(one)).map((one) => one.cloneNode(false).outerHTML);
  return document.documentElement.scrollWidth > innerWidth ? ['the page itself', ...told] : told;
}"""


def test_nothing_scrolls_sideways_on_a_narrow_screen(shown: Visit) -> None:
    found = []
    for width, height in NARROW:
        shown.page.set_viewport_size({"width": width, "height": height})
        found += [f"{width} x {height}: {one}" for one in shown.page.evaluate(_SIDEWAYS)]
    assert not found, "\n".join(found)


_FOCUSED = """() => {
  const one = document.activeElement;
  if (one === document.body || one === document.documentElement) return null;
  window.walked ??= new Map();
  if (!walked.has(one)) walked.set(one, walked.size);
  const style = getComputedStyle(one), ring = one.closest('.box');
  const box = one.getBoundingClientRect();
  const spots = [[.5, .5], [.1, .1], [.9, .1], [.1, .9], [.9, .9]].map(([x, y]) =>
    document.elementFromPoint(box.left + x * box.width, box.top + y * box.height));
  return {
    number: walked.get(one), html: one.cloneNode(false).outerHTML,
    ringed: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2
      || one.matches('textarea') && getComputedStyle(ring).boxShadow !== 'none',
    seen: spots.some((hit) => hit && (one.contains(hit) || hit.contains(one) && hit !== document.body)),
  };
}"""
_REACHABLE = """() => {
  const room = document.querySelector('dialog[open]') ?? document.body;
  const able = [...room.querySelectorAll('a[href], button, input, select, textarea, summary, video, [tabindex="0"]')];
  const seen = able.filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled);
  const missed = seen.filter((one) => one.tabIndex >= 0 && !one.matches('[type=radio]') && !window.walked.has(one));
  return missed.map((one) => one.cloneNode(false).outerHTML);
}"""


def _walk(page: Any) -> Iterator[dict[str, Any]]:
    """Press Tab until it comes round to where it began."""
    last, left = -1, False
    for _ in range(400):
        page.keyboard.press("Tab")
        stop = page.evaluate(_FOCUSED)
        if stop is None or (stop["number"] == last and not left):
            left = left or stop is None
            continue  # the browser's own buttons, and those within a player or a date
        if stop["number"] <= last:
            return
        last, left = stop["number"], False
        yield stop
    raise AssertionError("Tab never comes round")


def test_tab_reaches_everything_and_shows_where_it_is(shown: Visit) -> None:
    shown.page.set_viewport_size(DESK)
    shown.page.evaluate("() => { window.walked = new Map(); document.activeElement.blur(); }")
    stops = list(_walk(shown.page))
    assert [stop["html"] for stop in stops if not stop["ringed"]] == [], "the focus is not seen"
    assert [stop["html"] for stop in stops if not stop["seen"]] == [], "what has the focus is covered"
    assert shown.page.evaluate(_REACHABLE) == [], "never reached"
