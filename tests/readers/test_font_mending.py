"""Text of pages whose fonts do not say what their ligatures are, read without looking at pixels."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pymupdf
import pytest
from fontTools.feaLib.builder import addOpenTypeFeaturesFromString
from fontTools.fontBuilder import FontBuilder
from fontTools.ttLib.tables._g_l_y_f import Glyph

from ingest.readers.pages.fonts.glyphs import glyph_texts
from ingest.readers.pages.fonts.mending import DocumentFonts
from ingest.readers.pages.fonts.quality import is_broken
from ingest.readers.pages.native import read_native

DEJAVU = Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
LAM_ALEF = [
    "السلام لا الأول إلا آلاف",
    "هذا الاختبار لأن الإنتاجية مهمة في الحلول",
    "سلام دنیا این یک کتاب است لازم",  # Persian
    "یہ اردو زبان کا امتحان ہے لاہور",  # Urdu
]
_FONT = "@font-face {font-family: own; src: url(own.ttf)} p {font-family: own}"


def written(text: str, font: Path | None = None) -> Any:
    """A page; PyMuPDF's own Arabic font says nothing of the halves that it draws a lam-alef in."""
    document = pymupdf.open()
    archive = pymupdf.Archive()
    if font:
        archive.add(font.read_bytes(), "own.ttf")
    page = document.new_page()
    page.insert_htmlbox(pymupdf.Rect(50, 50, 550, 200), f"<p>{text}</p>", css=_FONT if font else "", archive=archive)
    return document


def as_seen(document: Any) -> Any:
    """The same page, its glyphs stored from left to right, as most programs store them."""
    page = document[0]
    fonts = {re.sub(r"\W", "", font[3])[:9]: font for font in page.get_fonts(full=True)}
    drawn = [(char, span) for span in page.get_texttrace() for char in span["chars"]][::-1]
    lines = []
    for (_, number, (x, y), _), span in sorted(drawn, key=lambda one: (round(one[0][2][1]), one[0][2][0])):
        name = fonts[span["font"][:9]][4]
        lines.append(f"/{name} {span['size']} Tf 1 0 0 1 {x:.3f} {page.rect.height - y:.3f} Tm <{number:04x}> Tj")
    used = "".join(f"/{font[4]} {font[0]} 0 R" for font in fonts.values())
    stream = document.get_new_xref()
    document.update_object(stream, "<<>>")
    document.update_stream(stream, "\n".join(("BT", *lines, "ET")).encode())
    document.xref_set_key(page.xref, "Resources", f"<</Font <<{used}>>>>")
    document.xref_set_key(page.xref, "Contents", f"{stream} 0 R")
    return document


def retold(document: Any, change: Callable[[bytes], bytes]) -> Any:
    """The same page, its fonts' tables of characters changed."""
    for font in document[0].get_fonts(full=True):
        table = int(document.xref_get_key(font[0], "ToUnicode")[1].split()[0])
        document.update_stream(table, change(document.xref_stream(table)))
    return document


def native_text(document: Any) -> str:
    stored = pymupdf.open("pdf", document.tobytes(garbage=3))
    return "".join(read_native(stored[0], DocumentFonts(stored)).text.split())


@pytest.mark.parametrize("text", LAM_ALEF)
@pytest.mark.parametrize("stored", [lambda document: document, as_seen], ids=["as written", "as seen"])
def test_lam_alef_that_the_text_layer_leaves_out(text: str, stored: Callable[[Any], Any]) -> None:
    assert native_text(stored(written(text))) == text.replace(" ", "")


@pytest.mark.parametrize("text", [*LAM_ALEF[:2], "office difficult affluent"])
@pytest.mark.parametrize("told", [b"0001", b"E012", b"FFFD"])
def test_ligatures_told_as_what_nobody_can_read(text: str, told: bytes) -> None:
    def wrong(table: bytes) -> bytes:
        return re.sub(rb"(?i)(<[0-9a-f]{4}> )<(fb0[0-6]|fe[f-f][5-9a-c])>", rb"\1<" + told + b">", spelt_out(table))

    document = retold(written(text, DEJAVU), wrong)
    assert native_text(document) == text.replace(" ", "")


def spelt_out(table: bytes) -> bytes:
    """The table with a line for each glyph in place of ranges."""
    text = table.decode()
    lines = re.findall(r"^<([0-9a-f]{4})> <([0-9a-f]{4})>$", text, re.MULTILINE | re.IGNORECASE)
    for first, last, code in re.findall(r"^<(\w{4})> <(\w{4})> <(\w{4})>$", text, re.MULTILINE):
        for step in range(int(last, 16) - int(first, 16) + 1):
            lines.append((f"{int(first, 16) + step:04x}", f"{int(code, 16) + step:04x}"))
    body = "".join(f"1 beginbfchar\n<{glyph}> <{code}>\nendbfchar\n" for glyph, code in lines)
    return f"{text[: text.index('endcodespacerange')]}endcodespacerange\n{body}endcmap\nend\nend\n".encode()


def test_a_font_that_contradicts_the_page_is_not_believed() -> None:
    """Every letter of the page is told one further than its font has it, and one letter is not told at all."""

    def shifted(table: bytes) -> bytes:
        lines = re.sub(rb"<00(\w\w)>$", lambda m: b"<%04x>" % (int(m[1], 16) + 1), spelt_out(table), flags=re.MULTILINE)
        return lines.replace(b"<0062>", b"<fffd>")

    document = retold(written("banana cabal", DEJAVU), shifted)
    assert "a" not in native_text(document)


def test_what_nothing_tells_is_no_other_letter() -> None:
    """A subset keeps the names of its glyphs here, and not what it puts them in place of."""
    document = written("السلام والإعلام والكلام والأحلام")
    document.subset_fonts()
    text = native_text(document)
    assert set(text) <= set("السلاموالإعلاموالكلاموالأحلام\ufffd")


def test_words_with_unknown_letters_are_no_text_to_trust() -> None:
    assert is_broken("The o\ufffdce is di\ufffdcult to find")
    assert not is_broken("One o\ufffdce among many words that are all whole and can be read")


# ---- what fonts tell


def font_of(names: list[str], codes: dict[int, str], features: str = "") -> bytes:
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", *names])
    builder.setupCharacterMap(codes)
    builder.setupGlyf({name: Glyph() for name in (".notdef", *names)})
    builder.setupHorizontalMetrics(dict.fromkeys((".notdef", *names), (500, 0)))
    builder.setupHorizontalHeader()
    builder.setupPost()
    if features:
        addOpenTypeFeaturesFromString(builder.font, features)
    builder.save(stored := BytesIO())
    return stored.getvalue()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("uni0644_uni0627.liga", "لا"),
        ("uni06440627", "لا"),
        ("afii57415", "ا"),
        ("f_f_i.alt", "ffi"),
        ("u1F600", "\U0001f600"),
        ("glyph00012", None),
        ("uniE001", None),
    ],
)
def test_names_tell(name: str, text: str | None) -> None:
    assert glyph_texts(font_of([name], {})).get(1) == text


def test_what_a_glyph_is_put_in_place_of_tells() -> None:
    names = ["one", "two", "three", "four", "five"]
    features = "feature liga {sub one two by three;} liga; feature salt {sub three by four; sub one from [five];} salt;"
    known = glyph_texts(font_of(names, {0x644: "one", 0x627: "two"}, features))
    assert (known[3], known[4], known[5]) == ("3", "4", "5")  # names of digits come first
    names = ["x1", "x2", "x3", "x4", "x5"]
    for number, word in enumerate(("one", "two", "three", "four", "five"), 1):
        features = features.replace(word, f"x{number}")
    known = glyph_texts(font_of(names, {0x644: "x1", 0x627: "x2"}, features))
    assert known == {1: "ل", 2: "ا", 3: "لا", 4: "لا", 5: "ل"}


def test_a_glyph_that_stands_for_several_letters_tells_nothing() -> None:
    features = "feature init {sub x1 by x4; sub x2 by x4;} init; feature fina {sub x1 by x5; sub x3 by x5;} fina;"
    known = glyph_texts(
        font_of(["x1", "x2", "x3", "x4", "x5"], {0x62F: "x1", 0x630: "x2", 0x62F + 0x10: "x3"}, features)
    )
    assert 4 not in known and 5 not in known


@pytest.mark.parametrize(
    "program", [b"", b"OTTO", b"\x00\x01\x00\x00" + b"\xff" * 200, b"\x01\x00\x04\x02" + b"\x80" * 99]
)
def test_a_damaged_font_tells_nothing(program: bytes) -> None:
    assert glyph_texts(program) == {}
    whole = font_of(["f_i"], {})
    assert all(glyph_texts(whole[:size]) in ({}, {1: "fi"}) for size in range(0, len(whole), 40))
