"""Word, PowerPoint and Excel files made here and read back."""

from __future__ import annotations

import io
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw, ImageFont

from haystack_agent.errors import EncryptedFile, ReadFailed
from haystack_agent.records import Piece, PieceKind
from ingest.ocr.recognition import OcrEngine
from ingest.readers.document import DocumentReader
from ingest.readers.office.number_format import shown
from ingest.readers.office.xlsx import MAX_ROWS
from ingest.readers.protocol import Source, Warned
from tests.support.paths import SHARED

docx: Any = pytest.importorskip("docx")
pptx: Any = pytest.importorskip("pptx")
openpyxl: Any = pytest.importorskip("openpyxl")

SENTENCE = "The harbour master counts the boats every morning before the fog lifts over the bay. "


@pytest.fixture(scope="module")
def reader() -> DocumentReader:
    return DocumentReader(OcrEngine())


def read(reader: DocumentReader, path: Path) -> list[Piece]:
    events = list(reader.read(Source(path, "asset", path.suffix[1:])))
    found = [event for event in events if isinstance(event, Piece)]
    assert [piece.index for piece in found] == list(range(len(found)))
    assert all(piece.text[span.start : span.end].strip() for piece in found for span in piece.spans)
    return found


def texts(found: list[Piece], kind: PieceKind) -> list[str]:
    return [piece.text for piece in found if piece.kind is kind]


def picture(text: str) -> io.BytesIO:
    image = Image.new("RGB", (900, 260), "white")
    ImageDraw.Draw(image).text((60, 90), text, fill="black", font=ImageFont.load_default(60))
    data = io.BytesIO()
    image.save(data, "PNG")
    data.seek(0)
    return data


# ---------------------------------------------------------------------------------------------- docx


def make_docx(path: Path) -> Path:
    document = docx.Document()
    document.core_properties.title = "Word Document"
    document.core_properties.author = "Kim"
    document.add_heading("Harbour rules", 0)
    document.add_heading("Fees", 1)
    document.add_paragraph(SENTENCE * 6)
    table = document.add_table(rows=4, cols=3)
    for row, cells in enumerate(
        [("Boat", "Summer", "Winter"), ("Sailing", "12.50", "8.00"), ("", "13.00", "9.00"), ("Motor", "30.00", "")]
    ):
        for column, text in enumerate(cells):
            table.cell(row, column).text = text
    table.cell(1, 0).merge(table.cell(2, 0))
    document.add_heading("Safety", 1)
    document.add_paragraph("Wear a life jacket", style="List Bullet")
    document.add_paragraph(SENTENCE * 6)
    document.sections[0].header.paragraphs[0].text = "Port authority"
    document.add_picture(picture("Berth 17 closed"))
    document.save(str(path))
    return path


def test_docx(reader: DocumentReader, tmp_path: Path) -> None:
    found = read(reader, make_docx(tmp_path / "a.docx"))
    assert all(piece.locator.page is None for piece in found)
    assert texts(found, PieceKind.TABLE_ROW) == [
        "Boat: Sailing; Summer: 12.50; Winter: 8.00",
        "Boat: Sailing; Summer: 13.00; Winter: 9.00",
        "Boat: Motor; Summer: 30.00",
    ]
    row = next(piece for piece in found if piece.kind is PieceKind.TABLE_ROW)
    assert row.heading == "Harbour rules > Fees"
    assert row.meta.title == "Harbour rules"
    assert row.meta.author == "Kim"
    safety = next(piece for piece in found if "life jacket" in piece.text)
    assert safety.heading == "Harbour rules > Safety"
    assert any("Port authority" in text for text in texts(found, PieceKind.PASSAGE))
    read_from_pixels = [piece for piece in found if piece.ocr]
    assert "Berth 17 closed" in read_from_pixels[0].text


def test_docx_shows_the_text_as_it_reads_now(reader: DocumentReader, tmp_path: Path) -> None:
    document = docx.Document()
    paragraph = document.add_paragraph("The fee is ")
    xml = paragraph._p
    for tag, inner, text in (("del", "delText", "twelve"), ("ins", "t", "fifteen")):
        change = xml.makeelement(docx.oxml.ns.qn(f"w:{tag}"), {})
        run = change.makeelement(docx.oxml.ns.qn("w:r"), {})
        part = run.makeelement(docx.oxml.ns.qn(f"w:{inner}"), {})
        part.text = text
        run.append(part)
        change.append(run)
        xml.append(change)
    paragraph.add_run(" euros")
    document.save(str(tmp_path / "a.docx"))
    assert texts(read(reader, tmp_path / "a.docx"), PieceKind.PASSAGE) == ["The fee is fifteen euros"]


def test_an_encrypted_office_file_is_reported(reader: DocumentReader, tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 5000)
    with pytest.raises(EncryptedFile):
        read(reader, path)


def test_an_office_file_without_its_parts_is_reported(reader: DocumentReader, tmp_path: Path) -> None:
    import zipfile

    whole = make_docx(tmp_path / "a.docx")
    for media_type in ("docx", "pptx", "xlsx"):
        path = tmp_path / f"cut.{media_type}"
        with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w") as target:
            target.writestr("[Content_Types].xml", source.read("[Content_Types].xml"))
        with pytest.raises(ReadFailed, match="damaged"):
            read(reader, path)


# ---------------------------------------------------------------------------------------------- pptx


def test_pptx(reader: DocumentReader, tmp_path: Path) -> None:
    from pptx.chart.data import CategoryChartData
    from pptx.enum.chart import XL_CHART_TYPE
    from pptx.util import Inches

    deck = pptx.Presentation()
    first = deck.slides.add_slide(deck.slide_layouts[1])
    first.shapes.title.text = "Ferry plan"
    first.placeholders[1].text = "Two ferries\nOne reserve"
    first.notes_slide.notes_text_frame.text = "Mention the new captain"
    second = deck.slides.add_slide(deck.slide_layouts[5])
    second.shapes.title.text = "Numbers"
    table = second.shapes.add_table(3, 2, Inches(1), Inches(2), Inches(4), Inches(1)).table
    for row, cells in enumerate([("Line", "Passengers"), ("North", "1,200"), ("South", "900")]):
        for column, text in enumerate(cells):
            table.cell(row, column).text = text
    data = CategoryChartData()
    data.categories = ["2023", "2024"]
    data.add_series("Delays", (14, 9))
    frame = (Inches(5), Inches(2), Inches(4), Inches(3))
    second.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, *frame, data)
    second.shapes.add_picture(picture("Pier 4 only"), Inches(1), Inches(5), width=Inches(5))
    deck.save(str(tmp_path / "a.pptx"))
    found = read(reader, tmp_path / "a.pptx")
    pages = [piece for piece in found if piece.kind is PieceKind.PAGE]
    assert [page.locator.page for page in pages] == [1, 2]
    assert pages[0].text == "Ferry plan\nTwo ferries\nOne reserve\nMention the new captain"
    assert pages[0].meta.title == "Ferry plan"
    assert pages[0].meta.pages == 2
    rows = [piece for piece in found if piece.kind is PieceKind.TABLE_ROW]
    assert [row.text for row in rows] == [
        "Line: North; Passengers: 1,200",
        "Line: South; Passengers: 900",
        "2023; Delays: 14",
        "2024; Delays: 9",
    ]
    assert all(row.locator.page == 2 and row.heading == "Numbers" for row in rows)
    box = rows[0].spans[0].box
    assert box is not None
    assert (box.x0, round(box.y0, 2)) == (0.1, 0.27)
    (read_from_pixels,) = [piece for piece in found if piece.ocr]
    assert "Pier 4 only" in read_from_pixels.text
    assert 0.6 < read_from_pixels.locator.boxes[0].y0 < 0.9


# ---------------------------------------------------------------------------------------------- xlsx


def test_xlsx(reader: DocumentReader, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Prices"
    for row in (
        ("Price list of the harbour",),
        ("Item", "Price", "Since", "Share"),
        ("Rope", 1249.5, date(2024, 3, 1), 0.125),
        ("Buoy", 80, datetime(2023, 12, 24, 18, 30), 0.5),
    ):
        sheet.append(row)
    for number in (3, 4):
        sheet.cell(number, 2).number_format = '#,##0.00 "EUR"'
        sheet.cell(number, 3).number_format = "dd.mm.yyyy"
        sheet.cell(number, 4).number_format = "0.0%"
    sheet.cell(7, 1, "Total")
    sheet.cell(7, 2, 2)
    book.create_sheet("Empty")
    third = book.create_sheet("Crew")
    third.append(("Name", "Age"))
    third.append(("Ole", 41))
    for cell in third[1]:
        cell.font = openpyxl.styles.Font(bold=True)
    book.save(tmp_path / "a.xlsx")
    found = read(reader, tmp_path / "a.xlsx")
    rows = [piece for piece in found if piece.kind is PieceKind.TABLE_ROW]
    assert [(row.text, row.locator.page, row.heading) for row in rows] == [
        ("Item: Rope; Price: 1,249.50 EUR; Since: 01.03.2024; Share: 12.5%", 1, "Prices"),
        ("Item: Buoy; Price: 80.00 EUR; Since: 24.12.2023; Share: 50.0%", 1, "Prices"),
        ("Total: 2", 1, "Prices"),
        ("Name: Ole; Age: 41", 3, "Crew"),
    ]
    pages = [piece for piece in found if piece.kind is PieceKind.PAGE]
    assert [page.locator.page for page in pages] == [1, 3]
    assert "Price list of the harbour" in pages[0].text
    assert pages[0].meta.pages == 3


def test_long_sheets_keep_their_names_and_are_bounded(reader: DocumentReader, tmp_path: Path) -> None:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Long")
    sheet.append(["id", "name"])
    for number in range(MAX_ROWS + 100):
        sheet.append([number, f"item {number}"])
    book.save(tmp_path / "a.xlsx")
    events = list(reader.read(Source(tmp_path / "a.xlsx", "asset", "xlsx")))
    rows = [event.text for event in events if isinstance(event, Piece) and event.kind is PieceKind.TABLE_ROW]
    assert "id: 15000; name: item 15000" in rows
    assert len(rows) <= MAX_ROWS
    assert [event.message for event in events if isinstance(event, Warned)] == [
        f"sheet 1 ('Long'): only its first {MAX_ROWS} rows were read"
    ]


@pytest.mark.parametrize(
    ("value", "code", "expected"),
    [
        (1249.5, "General", "1249.5"),
        (3.0, "General", "3"),
        (1249.5, "#,##0.00", "1,249.50"),
        (-1249.5, "#,##0.00;(#,##0.00)", "(1,249.50)"),
        (-3, "0", "-3"),
        (0.0725, "0.00%", "7.25%"),
        (12, "[$€-407] #,##0", "€ 12"),
        (7, "000", "007"),
        (1.5, "0.##", "1.5"),
        (2, "0.##", "2"),
        (1500000, '0.0,,"M"', "1.5M"),
        (True, "General", "TRUE"),
        ("text", "@", "text"),
        (date(2024, 3, 1), "yyyy-mm-dd", "2024-03-01"),
        (datetime(2024, 3, 1, 15, 5), "d mmmm yyyy h:mm AM/PM", "1 March 2024 3:05 PM"),
        (datetime(2024, 3, 1, 15, 5, 9), "mm/dd/yy hh:mm:ss", "03/01/24 15:05:09"),
        (datetime(2024, 3, 1), "General", "2024-03-01"),
        (None, "General", ""),
    ],
)
def test_values_as_people_see_them(value: object, code: str, expected: str) -> None:
    assert shown(value, code) == expected


def test_real_slides(reader: DocumentReader) -> None:
    path = SHARED / "real_media" / "documents" / "doc_016.pptx"
    if not path.is_file():
        pytest.skip("the collection of real files (real_media) is not here")
    assert "2021; Freshwater Ducks: 150; Saltwater Ducks: 110" in texts(read(reader, path), PieceKind.TABLE_ROW)
