"""Pages of real files: order, places, tables, headings, what is read from pixels, and files that cannot be read."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw, ImageFont

from haystack_agent.errors import EncryptedFile, ReadFailed, ReadLimitExceeded, UnsupportedFile
from haystack_agent.records import Box, Piece, PieceKind
from ingest.ocr.recognition import OcrEngine
from ingest.readers.document import DocumentReader
from ingest.readers.pages import layout as page_layout
from ingest.readers.pages import paged
from ingest.readers.pages.fonts.quality import is_broken, nonsense
from ingest.readers.pages.meta import parse_date, sensible_title
from ingest.readers.pages.render import mark_boxes, render_page
from ingest.readers.protocol import Progress, ReadEvent, Source, Warned
from tests.support.paths import SHARED

pymupdf: Any = pytest.importorskip("pymupdf")

DOCUMENTS = SHARED / "real_media" / "documents"
LOREM = "the quick brown fox jumps over the lazy dog while seven wizards watch"


@pytest.fixture(scope="module")
def ocr() -> OcrEngine:
    return OcrEngine()


@pytest.fixture
def reader(ocr: OcrEngine) -> DocumentReader:
    return DocumentReader(ocr)


def events(reader: DocumentReader, path: Path, media_type: str = "pdf") -> list[ReadEvent]:
    return list(reader.read(Source(path, "asset", media_type)))


def pieces(reader: DocumentReader, path: Path, media_type: str = "pdf") -> list[Piece]:
    found = [event for event in events(reader, path, media_type) if isinstance(event, Piece)]
    assert [piece.index for piece in found] == list(range(len(found)))
    for piece in found:
        for span in piece.spans:
            assert piece.text[span.start : span.end].strip()
            assert span.box is None or 0 <= span.box.x0 <= span.box.x1 <= 1
    return found


def of_kind(found: list[Piece], kind: PieceKind) -> list[Piece]:
    return [piece for piece in found if piece.kind is kind]


def texts(found: list[Piece], kind: PieceKind) -> list[str]:
    return [piece.text for piece in of_kind(found, kind)]


def box_of(piece: Piece, word: str) -> Box:
    at = piece.text.index(word)
    box = next(span.box for span in piece.spans if span.start <= at < span.end)
    assert box is not None
    return box


def real(name: str) -> Path:
    path = DOCUMENTS / name
    if not path.is_file():
        pytest.skip("the collection of real files (real_media) is not here")
    return path


def saved(document: Any, tmp_path: Path, name: str = "made.pdf", **options: Any) -> Path:
    path = tmp_path / name
    document.save(str(path), **options)
    document.close()
    return path


def dark_share(image: Image.Image, box: Box) -> float:
    part = image.convert("L").crop(
        (int(box.x0 * image.width), int(box.y0 * image.height), int(box.x1 * image.width), int(box.y1 * image.height))
    )
    values = part.histogram()
    return sum(values[:128]) / max(1, sum(values))


# ---- order


def test_columns_are_read_one_after_the_other_even_if_stored_line_by_line(
    reader: DocumentReader, tmp_path: Path
) -> None:
    document = pymupdf.open()
    page = document.new_page(width=600, height=800)
    page.insert_text((60, 60), "A title over both of the columns of this page in one line", fontsize=18)
    for number in range(20):
        y = 120 + 14 * number
        page.insert_text((60, y), f"left{number} words that fill the left column", fontsize=11)
        page.insert_text((320, y), f"right{number} words that fill the right one", fontsize=11)
    found = pieces(reader, saved(document, tmp_path))
    (text,) = texts(found, PieceKind.PAGE)
    order = [text.index(f"left{n} ") for n in range(20)] + [text.index(f"right{n} ") for n in range(20)]
    assert order == sorted(order)
    assert text.startswith("A title over both")


def test_label_and_value_stay_on_one_line(reader: DocumentReader, tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    pairs = [("Invoice number", "INV-2231"), ("Invoice date", "2024-05-17"), ("Total due", "1,249.50 EUR")]
    for number, (label, value) in enumerate(pairs):
        page.insert_text((60, 100 + 18 * number), label)
        page.insert_text((260, 100 + 18 * number), value)
    found = pieces(reader, saved(document, tmp_path))
    assert "Total due  1,249.50 EUR" in texts(found, PieceKind.PASSAGE)[0]
    assert "Total due: 1,249.50 EUR" in texts(found, PieceKind.TABLE_ROW)


def test_addresses_side_by_side_are_not_mixed(reader: DocumentReader, tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    for x, lines in (
        (60, ("Bill to", "Jana Novak", "Long street", "Brno")),
        (330, ("Ship to", "Pete Smith", "Hill", "York")),
    ):
        for number, line in enumerate(lines):
            page.insert_text((x, 100 + 14 * number), line)
    (text,) = texts(pieces(reader, saved(document, tmp_path)), PieceKind.PAGE)
    assert text.split("\n") == ["Bill to", "Jana Novak", "Long street", "Brno", "Ship to", "Pete Smith", "Hill", "York"]


@pytest.mark.parametrize(
    "text",
    [
        "هذا الاختبار لأن الإنتاجية مهمة في الحلول",
        "שלום לכולם וברוכים הבאים לעולם",
        "การประชุมวันพุธเวลาเก้าโมงเช้า",
        "会議は水曜日の午前九時に始まります",
        "Příliš žluťoučký kůň úpěl ďábelské ódy",
    ],
)
def test_scripts_come_out_in_logical_order(reader: DocumentReader, tmp_path: Path, text: str) -> None:
    document = pymupdf.open()
    page = document.new_page()
    page.insert_htmlbox(pymupdf.Rect(50, 50, 550, 200), f"<p>{text}</p>")
    (read,) = texts(pieces(reader, saved(document, tmp_path)), PieceKind.PAGE)
    assert read.replace(" ", "") == text.replace(" ", "")


def test_text_printed_twice_for_a_shadow_is_read_once(reader: DocumentReader, tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    page.insert_text((60, 100), "Annual report")
    page.insert_text((60.4, 100.4), "Annual report")
    assert texts(pieces(reader, saved(document, tmp_path)), PieceKind.PAGE) == ["Annual report"]


# ---- places


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_boxes_lie_on_the_words_of_the_page_as_shown(reader: DocumentReader, tmp_path: Path, rotation: int) -> None:
    document = pymupdf.open()
    page = document.new_page(width=500, height=700)
    page.insert_text((150, 200), "Needle", fontsize=30)
    page.set_cropbox(pymupdf.Rect(100, 100, 450, 600))
    page.set_rotation(rotation)
    path = saved(document, tmp_path)
    (passage,) = of_kind(pieces(reader, path), PieceKind.PASSAGE)
    box = box_of(passage, "Needle")
    image = render_page(path, 1, "pdf", 700)
    assert dark_share(image, box) > 0.1
    outside = image.copy()
    outside.paste((255, 255, 255), tuple(round(v) for v in (  # type: ignore[arg-type]
        box.x0 * image.width - 2, box.y0 * image.height - 2, box.x1 * image.width + 2, box.y1 * image.height + 2,
    )))  # fmt: skip
    assert dark_share(outside, Box(0, 0, 1, 1)) < 0.0005


def test_marks_are_seen_where_the_boxes_are() -> None:
    image = Image.new("RGB", (200, 100), "white")
    marked = mark_boxes(image, [Box(0.5, 0.5, 0.75, 0.9)])
    assert marked.getpixel((120, 70)) != (255, 255, 255)
    assert marked.getpixel((20, 20)) == (255, 255, 255)
    assert image.getpixel((120, 70)) == (255, 255, 255)


def test_text_cut_off_by_the_crop_box_is_not_read(reader: DocumentReader, tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page(width=500, height=700)
    page.insert_text((120, 200), "inside")
    page.insert_text((120, 650), "outside")
    page.set_cropbox(pymupdf.Rect(100, 100, 450, 600))
    assert texts(pieces(reader, saved(document, tmp_path)), PieceKind.PAGE) == ["inside"]


def test_rendering_refuses_what_is_not_there(reader: DocumentReader, tmp_path: Path) -> None:
    document = pymupdf.open()
    document.new_page()
    path = saved(document, tmp_path)
    with pytest.raises(ReadFailed, match="no page 2"):
        render_page(path, 2, "pdf")
    with pytest.raises(UnsupportedFile):
        render_page(path, 1, "docx")


# ---- tables

GOODS = [
    ("Item", "Quantity", "Price"),
    ("Blue paint", "12", "49.90"),
    ("Brush, wide", "3", "7.25"),
    ("Ladder", "1", "120.00"),
]


def draw_table(page: Any, rows: Sequence[tuple[str, ...]], top: float, *, ruled: bool) -> None:
    for number, row in enumerate(rows):
        y = top + 24 * number
        for column, cell in enumerate(row):
            x = 60 + 150 * column
            if ruled:
                page.draw_rect(pymupdf.Rect(x, y, x + 150, y + 24))
            page.insert_text((x + 5, y + 16), cell, fontsize=11)


@pytest.mark.parametrize("ruled", [True, False])
def test_a_table_row_carries_its_column_names(reader: DocumentReader, tmp_path: Path, ruled: bool) -> None:
    document = pymupdf.open()
    page = document.new_page()
    page.insert_text((60, 80), f"Before the table stands a sentence: {LOREM}.", fontsize=10)
    draw_table(page, GOODS, 120, ruled=ruled)
    page.insert_text((60, 300), f"After it comes another one: {LOREM}.", fontsize=10)
    found = pieces(reader, saved(document, tmp_path))
    rows = of_kind(found, PieceKind.TABLE_ROW)
    assert [row.text for row in rows] == [
        "Item: Blue paint; Quantity: 12; Price: 49.90",
        "Item: Brush, wide; Quantity: 3; Price: 7.25",
        "Item: Ladder; Quantity: 1; Price: 120.00",
    ]
    box = box_of(rows[1], "7.25")
    assert 0.6 < box.x0 < box.x1 < 0.7
    assert 0.2 < box.y0 < box.y1 < 0.25
    (page_text,) = texts(found, PieceKind.PAGE)
    assert page_text.index("Before") < page_text.index("Ladder  1  120.00") < page_text.index("After")


def test_a_table_that_goes_on_keeps_its_names(reader: DocumentReader, tmp_path: Path) -> None:
    document = pymupdf.open()
    draw_table(document.new_page(), GOODS, 600, ruled=True)
    draw_table(document.new_page(), [("Sponge", "4", "2.10"), ("Bucket", "2", "8.80")], 60, ruled=True)
    rows = texts(pieces(reader, saved(document, tmp_path)), PieceKind.TABLE_ROW)
    assert "Item: Bucket; Quantity: 2; Price: 8.80" in rows


def test_prose_in_a_frame_is_no_table(reader: DocumentReader, tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    page.draw_rect(pymupdf.Rect(50, 50, 550, 400))
    page.draw_line((60, 50), (60, 400))
    page.insert_textbox(pymupdf.Rect(70, 60, 540, 390), f"{LOREM}. " * 12, fontsize=11)
    found = pieces(reader, saved(document, tmp_path))
    assert not of_kind(found, PieceKind.TABLE_ROW)
    assert "seven wizards" in texts(found, PieceKind.PAGE)[0].replace("\n", " ")


# ---- headings, metadata


def test_headings_by_type_size_and_the_title_from_the_first(reader: DocumentReader, tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    page.insert_text((60, 70), "Garden Handbook", fontsize=24)
    y = 110.0
    for name in ("Watering", "Pruning"):
        page.insert_text((60, y), name, fontsize=16)
        for number in range(12):
            page.insert_text((60, y + 20 + 14 * number), f"{name} line {number}: {LOREM}", fontsize=10)
        y += 230
    document.set_metadata({"title": "untitled", "author": "Ada", "creationDate": "D:20230131120000+02'00'"})
    found = pieces(reader, saved(document, tmp_path))
    pruned = next(piece for piece in found if "Pruning line 5" in piece.text and piece.kind is PieceKind.PASSAGE)
    assert pruned.heading == "Garden Handbook > Pruning"
    assert pruned.meta.title == "Garden Handbook"
    assert pruned.meta.author == "Ada"
    assert pruned.meta.created == datetime(2023, 1, 31, 10, tzinfo=UTC)
    assert pruned.meta.pages == 1


def test_the_outline_names_the_headings(reader: DocumentReader, tmp_path: Path) -> None:
    document = pymupdf.open()
    for name in ("Introduction", "Methods", "Results"):
        page = document.new_page()
        page.insert_text((60, 70), name, fontsize=11)
        for number in range(8):
            page.insert_text((60, 100 + 14 * number), f"{name} {number}: {LOREM}", fontsize=11)
    document.set_toc([[1, "Introduction", 1], [2, "Methods", 2], [1, "Results", 3]])
    found = of_kind(pieces(reader, saved(document, tmp_path)), PieceKind.PASSAGE)
    headings = {piece.locator.page: piece.heading for piece in found}
    assert headings == {1: "Introduction", 2: "Introduction > Methods", 3: "Results"}


@pytest.mark.parametrize(
    "title", ["untitled", "Microsoft Word - report.doc", "scan0001.pdf", "(anonymous)", "  ", "1234"]
)
def test_titles_that_say_nothing_are_dropped(title: str) -> None:
    assert sensible_title(title) == ""


def test_titles_that_say_something_are_kept() -> None:
    assert sensible_title("Microsoft Word - Annual Report 2023") == "Annual Report 2023"
    assert sensible_title("Node.js in Action") == "Node.js in Action"


def test_dates() -> None:
    assert parse_date("D:20210607115302+07'00'") == datetime(2021, 6, 7, 4, 53, 2, tzinfo=UTC)
    assert parse_date("D:20231005000756Z") == datetime(2023, 10, 5, 0, 7, 56, tzinfo=UTC)
    assert parse_date("D:2019") == datetime(2019, 1, 1, tzinfo=UTC)
    assert parse_date("2024-02-03") == datetime(2024, 2, 3, tzinfo=UTC)
    assert parse_date("yesterday") is None
    assert parse_date("D:20231399") is None
    assert parse_date("") is None


# ---- forms, notes, pixels


def test_form_values_and_notes_are_read(reader: DocumentReader, tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page()
    page.insert_text((60, 100), "Name of the applicant")
    widget = pymupdf.Widget()
    widget.field_name, widget.field_type = "name", pymupdf.PDF_WIDGET_TYPE_TEXT
    widget.rect, widget.field_value = pymupdf.Rect(220, 85, 400, 105), "Marie Sklodowska"
    page.add_widget(widget)
    page.add_text_annot((300, 300), "please check the budget figure")
    (text,) = texts(pieces(reader, saved(document, tmp_path)), PieceKind.PAGE)
    assert text.count("Marie Sklodowska") == 1
    assert "please check the budget figure" in text


def text_picture(text: str, size: tuple[int, int] = (1000, 300)) -> Image.Image:
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).text((60, size[1] // 2 - 40), text, fill="black", font=ImageFont.load_default(64))
    return image


def test_a_scan_is_read_from_its_pixels(reader: DocumentReader, tmp_path: Path) -> None:
    picture = tmp_path / "scan.png"
    text_picture("Warranty until 2031").save(picture)
    document = pymupdf.open()
    page = document.new_page(width=500, height=700)
    page.insert_image(pymupdf.Rect(50, 400, 450, 520), filename=str(picture))
    (passage,) = of_kind(pieces(reader, saved(document, tmp_path)), PieceKind.PASSAGE)
    assert "Warranty until 2031" in passage.text
    assert passage.ocr
    box = box_of(passage, "Warranty")
    assert 0.1 < box.x0 < 0.2
    assert 0.57 < box.y0 < box.y1 < 0.75


def test_a_large_picture_on_a_page_with_text_is_read_too(reader: DocumentReader, tmp_path: Path) -> None:
    picture = tmp_path / "stamp.png"
    text_picture("RECEIVED 14 March", (800, 500)).save(picture)
    document = pymupdf.open()
    page = document.new_page(width=500, height=700)
    for number in range(12):
        page.insert_text((50, 60 + 14 * number), f"{number} {LOREM}", fontsize=10)
    page.insert_image(pymupdf.Rect(50, 350, 450, 600), filename=str(picture))
    found = pieces(reader, saved(document, tmp_path))
    native = [piece for piece in of_kind(found, PieceKind.PASSAGE) if not piece.ocr]
    (read,) = [piece for piece in of_kind(found, PieceKind.PASSAGE) if piece.ocr]
    assert "wizards" in native[0].text
    assert "RECEIVED" in read.text
    assert "wizards" not in read.text
    assert 0.5 < box_of(read, "RECEIVED").y0 < 0.86
    assert "RECEIVED" in texts(found, PieceKind.PAGE)[0]


def test_broken_text_layers_are_noticed() -> None:
    assert is_broken("\ue001\ue002\ue003 \ue004\ue005")
    assert is_broken("(cid:12)(cid:44)(cid:7) (cid:9)(cid:3)")
    assert is_broken("ab\ufffd\ufffdc d\ufffd")
    assert not is_broken("Plain text, with numbers 1,249.50 and (brackets) – fine. Größe Ελλάδα 東京 مرحبا")
    assert not is_broken("def f(x): return {k: v for k, v in x.items()}; $PATH || exit 1")
    assert nonsense("Tl~e q|_|ick br¬wn f0x ju~ps ov¦r th^e l@zy d=og") > 0.25
    assert nonsense(LOREM) == 0.0


# ---- other and bad files


def make_epub(path: Path, body: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr(
            "META-INF/container.xml",
            '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0"><rootfiles>'
            '<rootfile full-path="a.opf" media-type="application/oebps-package+xml"/></rootfiles></container>',
        )
        archive.writestr(
            "a.opf",
            '<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata '
            'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Sea Tales</dc:title><dc:creator>Ann</dc:creator>'
            '</metadata><manifest><item id="c" href="c.xhtml" media-type="application/xhtml+xml"/></manifest>'
            '<spine><itemref idref="c"/></spine></package>',
        )
        archive.writestr("c.xhtml", f'<html xmlns="http://www.w3.org/1999/xhtml"><body>{body}</body></html>')
    return path


def test_epub(reader: DocumentReader, tmp_path: Path) -> None:
    path = make_epub(tmp_path / "a.epub", "<h1>The Harbour</h1>" + f"<p>The captain waited. {LOREM}.</p>" * 30)
    found = pieces(reader, path, "epub")
    assert found[0].meta.title == "Sea Tales"
    assert found[0].meta.author == "Ann"
    assert "The captain waited" in found[1].text
    assert found[1].heading == "The Harbour"
    assert (found[-1].locator.page or 0) > 1
    assert render_page(path, 2, "epub", 300).width == 300


def test_comic_pages_are_read_from_pixels(reader: DocumentReader, tmp_path: Path) -> None:
    text_picture("Meanwhile in Oslo").save(tmp_path / "p.png")
    with zipfile.ZipFile(tmp_path / "a.cbz", "w") as archive:
        archive.write(tmp_path / "p.png", "1.png")
    found = pieces(reader, tmp_path / "a.cbz", "cbz")
    assert "Meanwhile in Oslo" in found[0].text
    assert found[0].ocr


def test_an_encrypted_file_is_reported(reader: DocumentReader, tmp_path: Path) -> None:
    document = pymupdf.open()
    document.new_page().insert_text((60, 100), "secret")
    path = saved(document, tmp_path, encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="x", owner_pw="y")
    with pytest.raises(EncryptedFile, match="password"):
        events(reader, path)


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7\nnothing of use", b"\x00" * 5000])
def test_damaged_files_are_reported_in_one_line(reader: DocumentReader, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "bad.pdf"
    path.write_bytes(data)
    with pytest.raises(ReadFailed) as caught:
        events(reader, path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("media_type", ["epub", "docx", "pptx", "xlsx", "cbz"])
def test_damaged_archives_are_reported(reader: DocumentReader, tmp_path: Path, media_type: str) -> None:
    path = tmp_path / f"bad.{media_type}"
    path.write_bytes(b"PK\x03\x04" + bytes(range(256)) * 20)
    with pytest.raises(ReadFailed):
        events(reader, path, media_type)


def test_archives_that_unpack_without_end_are_refused(reader: DocumentReader, tmp_path: Path) -> None:
    path = tmp_path / "bomb.docx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"word/{number}.xml", b"\0" * 20_000_000)
    with pytest.raises(ReadLimitExceeded, match="times its size"):
        events(reader, path, "docx")


def test_a_page_that_cannot_be_read_costs_that_page_only(reader: DocumentReader, tmp_path: Path) -> None:
    document = pymupdf.open()
    for number in range(3):
        document.new_page().insert_text((60, 100), f"page number {number + 1}")
    document.xref_set_key(document[1].xref, "MediaBox", "[0 0 9000000 9000000]")
    found = events(reader, saved(document, tmp_path))
    assert [event.message for event in found if isinstance(event, Warned)] == [
        "page 2 could not be read: it measures 9000000 x 9000000 points"
    ]
    assert [event.text for event in found if isinstance(event, Piece) and event.kind is PieceKind.PAGE] == [
        "page number 1",
        "page number 3",
    ]
    assert [(event.done, event.total) for event in found if isinstance(event, Progress)] == [(1, 3), (2, 3), (3, 3)]


def test_whatever_a_page_makes_a_library_raise_costs_that_page_and_is_told_plainly(
    reader: DocumentReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = pymupdf.open()
    for number in range(3):
        document.new_page().insert_text((60, 100), f"page number {number + 1}")
    bad = {2}
    pages = iter(range(1, 9))

    def arrange(*arguments: Any) -> Any:
        if next(pages) in bad:
            raise OverflowError("index 0 is out of bounds for axis 0 with size 0")
        return page_layout.arrange(*arguments)

    monkeypatch.setattr(paged, "arrange", arrange)
    path = saved(document, tmp_path)
    found = events(reader, path)
    assert [event.message for event in found if isinstance(event, Warned)] == [
        "page 2 could not be read: it is damaged, or of a form that is not read"
    ]
    assert len([event for event in found if isinstance(event, Piece) and event.kind is PieceKind.PAGE]) == 2
    bad.update(range(9))
    with pytest.raises(ReadFailed, match=r"^none of its 3 pages can be read: the file is damaged"):
        events(reader, path)


def test_reading_twice_gives_the_same_pieces(reader: DocumentReader, tmp_path: Path) -> None:
    document = pymupdf.open()
    draw_table(document.new_page(), GOODS, 100, ruled=False)
    path = saved(document, tmp_path)
    first, second = pieces(reader, path), pieces(reader, path)
    assert first == second
    assert len({piece.id for piece in first}) == len(first)


# ---- real files


def test_real_two_columns(reader: DocumentReader) -> None:
    (text, *_) = texts(pieces(reader, real("doc_007.pdf")), PieceKind.PAGE)
    assert (
        text.index("Lorem ipsum dolor sit amet") < text.index("Suspendisse ut massa") < text.index("pellentesque ante")
    )


def test_real_arabic_has_its_ligatures_in_order(reader: DocumentReader) -> None:
    found = pieces(reader, real("doc_048.pdf"))
    assert found[0].text.startswith("تحسين الإنتاجية وحل المشكلات من خلال البرمجة بلغة R وPython")


def test_real_chinese_table(reader: DocumentReader) -> None:
    rows = texts(pieces(reader, real("doc_059.pdf")), PieceKind.TABLE_ROW)
    assert any("营业收入（元）" in row and "本报告期: 4,755,785.11" in row for row in rows)


def test_real_statistics_with_rows_not_ruled(reader: DocumentReader) -> None:
    rows = texts(pieces(reader, real("doc_047.pdf")), PieceKind.TABLE_ROW)
    assert any(row.startswith("Aug-2015; Pax: 721,817") and "L/F(%): 82.5" in row for row in rows)


def test_real_rotated_page(reader: DocumentReader) -> None:
    path = real("doc_095.pdf")
    passage = next(
        piece for piece in pieces(reader, path) if piece.kind is PieceKind.PASSAGE and "DHAW20190026" in piece.text
    )
    box = box_of(passage, "DHAW20190026")
    assert dark_share(render_page(path, 1, "pdf", 1600), box) > 0.1
    assert box.x1 - box.x0 > box.y1 - box.y0
