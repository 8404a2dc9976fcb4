"""The table of media: whole, without contradictions, and the only place that says what media and places are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from haystack_agent.answering.checks.marks import Mark
from haystack_agent.answering.messages import described
from haystack_agent.media import (
    MEDIA,
    Family,
    Format,
    Medium,
    OpenedAs,
    PlaceOf,
    Preview,
    clock,
    extent,
    medium_of,
    opening_of,
    place_name,
    preview_of,
    types_of,
)
from haystack_agent.records import AssetMeta, Evidence, Locator, Modality, Piece, PieceKind
from haystack_agent.text.fold import fold
from ingest.draw.drawing import still_label
from ingest.files.sniff import named_type
from ingest.pixels.pictures import MEDIA_TYPES as DECODED
from ingest.readers.registry import default_registry
from tests.support.paths import ROOT
from ui.mcp.values import search_result
from ui.terminal.render import place_text
from ui.web.cards.evidence_cards import card_of

DOCUMENT, IMAGE, VIDEO = MEDIA
READ = frozenset().union(*(entry.media_types for entry in default_registry().entries))


def faults(table: Sequence[Medium], read: frozenset[str] = READ) -> set[str]:
    """What is wrong with a table: a word for each kind of fault."""
    rows = Counter(row.modality for row in table)
    types = Counter(one.name for row in table for family in row.families for one in family.formats)
    names = Counter(name for row in table for name in {row.noun.one, row.noun.many, row.filtered, row.title})
    words = Counter(word for row in table for word in row.words.split())
    found = {
        "a modality without one row": any(rows[one] != 1 for one in Modality),
        "a type in no row, or in none that is read": set(types) != read,
        "a type in two rows": any(number > 1 for number in types.values()),
        "a name of two media": any(number > 1 for number in names.values()),
        "a word of two media": any(number > 1 for number in words.values()),
        "a word that is not folded": any(fold(word) != word for word in words),
        "a name that is missing": any(not (row.noun.one and row.noun.many and row.title) for row in table),
        "a family without a type": any(not family.formats for row in table for family in row.families),
    }
    return {fault for fault, there in found.items() if there}


def test_the_table_is_whole() -> None:
    assert not faults(MEDIA)


def with_types(row: Medium, *more: str) -> Medium:
    """A row with other types of files beside its own."""
    first, *rest = row.families
    return replace(row, families=(replace(first, formats=(*first.formats, *map(Format, more))), *rest))


def without(row: Medium, *names: str) -> Medium:
    """A row that lacks types."""

    def less(family: Family) -> Family:
        return replace(family, formats=tuple(one for one in family.formats if one.name not in names))

    return replace(row, families=tuple(map(less, row.families)))


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        ((DOCUMENT, IMAGE), "a modality without one row"),
        ((*MEDIA, VIDEO), "a modality without one row"),
        ((DOCUMENT, IMAGE, without(VIDEO, "mkv")), "a type in no row, or in none that is read"),
        ((DOCUMENT, with_types(IMAGE, "psd"), VIDEO), "a type in no row, or in none that is read"),
        ((DOCUMENT, with_types(IMAGE, "mp4"), VIDEO), "a type in two rows"),
        ((DOCUMENT, IMAGE, replace(VIDEO, title="Photos")), "a name of two media"),
        ((DOCUMENT, IMAGE, replace(VIDEO, words="clip picture")), "a word of two media"),
        ((DOCUMENT, IMAGE, replace(VIDEO, words="Clip")), "a word that is not folded"),
        ((DOCUMENT, replace(IMAGE, title=""), VIDEO), "a name that is missing"),
        (
            (DOCUMENT, IMAGE, replace(VIDEO, families=(replace(VIDEO.families[0], formats=()),))),
            "a family without a type",
        ),
    ],
)
def test_a_broken_row_is_told(broken: Sequence[Medium], fault: str) -> None:
    assert fault in faults(broken)


def test_each_type_is_read_by_one_reader() -> None:
    readers = Counter(name for entry in default_registry().entries for name in entry.media_types)
    assert set(readers.values()) == {1}


def test_what_is_drawn_as_a_picture_can_be_decoded() -> None:
    assert types_of(Modality.IMAGE) == DECODED


def test_names_of_files_promise_the_types_that_bytes_can_show() -> None:
    promised = {name for name in READ if named_type(Path(f"a.{name}")) == name}
    assert READ - promised == {"txt", "markdown", "html", "csv"}


def test_every_medium_is_shown_and_opened() -> None:
    shown = [(preview_of(name), opening_of(name)) for name in ("pdf", "docx", "csv", "png", "mkv")]
    assert shown == [
        (Preview.PAGE, OpenedAs.DRAWN),
        (Preview.TEXT, OpenedAs.OWN_PROGRAM),
        (Preview.TEXT, OpenedAs.AS_TEXT),
        (Preview.PICTURE, OpenedAs.DRAWN),
        (Preview.VIDEO, OpenedAs.PLAYED),
    ]
    assert [medium_of(one).place for one in Modality] == [PlaceOf.PAGE, PlaceOf.REGION, PlaceOf.SECOND]


@pytest.mark.parametrize(
    ("locator", "media_type", "name"),
    [
        (Locator(page=2), "pdf", "page 2"),
        (Locator(page=2), "pptx", "slide 2"),
        (Locator(page=2), "xlsx", "sheet 2"),
        (Locator(page=3), "tiff", "page 3"),
        (Locator(start=17.9), "mp4", "0:17"),
        (Locator(start=17, end=21), "mp4", "0:17-0:21"),
        (Locator(start=3600, end=3723), "mp4", "1:00:00-1:02:03"),
        (Locator(), "jpeg", ""),
        (Locator(page=2), "of no kind", "page 2"),
    ],
)
def test_a_place_has_one_name(locator: Locator, media_type: str, name: str) -> None:
    assert place_name(locator, media_type) == name


def test_files_have_a_length() -> None:
    assert [extent("pptx", 12, None), extent("pdf", 2, None), extent("pdf", 1, None), extent("jpeg", None, None)] == [
        "12 slides", "2 pages", "", "",
    ]  # fmt: skip
    assert extent("mp4", None, 3723) == clock(3723) == "1:02:03"


@pytest.mark.parametrize(("media_type", "name"), [("pptx", "slide 7"), ("xlsx", "sheet 7"), ("pdf", "page 7")])
def test_terminal_page_models_and_mcp_say_the_same_name(media_type: str, name: str) -> None:
    piece = Piece("a", PieceKind.PAGE, Modality.DOCUMENT, 0, Locator(page=7), "text", AssetMeta(media_type))
    found = Evidence(piece, (f"/f/a.{media_type}",), 1.0)
    assert place_text(found, piece.locator) == f"a.{media_type}, {name}"
    assert search_result([found], ()).evidence[0].place == f"a.{media_type}, {name}"
    assert card_of(found, 1)["place"] == name
    assert described(1, found, Mark("mark"), 100).startswith(f"[1] a document, {name}\n")
    assert still_label(piece, marked=False) == name


def test_the_page_s_scripts_name_no_medium_and_no_pages_of_their_own() -> None:
    nouns = {one.pages for row in MEDIA for family in row.families for one in family.formats}
    own = {name for row in MEDIA for name in (row.title, row.noun.many)} | {noun.many for noun in nouns}
    scripts = sorted((ROOT / "ui" / "web" / "static").rglob("*.js"))
    assert len(scripts) > 20
    said = {(one.name, name) for one in scripts for name in own if f'"{name}"' in one.read_text("utf-8")}
    assert not said
