"""The documents of the sample folder: PDFs with tables, a scan, Office files and a note."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from eval.sample.drawing import draw_table, html_picture, scan_of

WHEN = datetime(2026, 10, 5, 9, 30)
"""Written into every document as the time it was made, so that the folder is the same each time."""


def _pdf(path: Path, document: Any, title: str, author: str) -> None:
    stamp = WHEN.strftime("D:%Y%m%d%H%M%S")
    document.set_metadata({"title": title, "author": author, "creationDate": stamp, "modDate": stamp})
    document.subset_fonts()
    document.save(path, garbage=3, deflate=True, no_new_id=True)
    document.close()


def _text(page: Any, top: float, html: str) -> None:
    import pymupdf

    page.insert_htmlbox(pymupdf.Rect(56, top, 539, 800), html, css="p, li {font-size: 11px} h1 {font-size: 20px}")


def write_invoice(path: Path) -> None:
    """An English invoice of two pages; its table is on the second."""
    import pymupdf

    document = pymupdf.open()
    _text(
        document.new_page(),
        60,
        "<h1>Brightwater Cycles</h1><p>14 Canal Street, Leeds</p><p>Invoice number BW-2026-0317</p>"
        "<p>Date: 5 October 2026</p><p>Dear Ms Okafor,</p><p>thank you for bringing your touring bicycle to our"
        " workshop. The parts and the work are listed on the next page. The frame carries a warranty of five years; the"
        " brake pads carry one of six months.</p><p>Please pay within 21 days of the date of this invoice.</p>",
    )
    page = document.new_page()
    _text(page, 60, "<h1>Parts and work</h1>")
    rows = (
        ("Item", "Quantity", "Unit price", "Amount"),
        ("Brake pads, pair", "2", "£18.50", "£37.00"),
        ("Chain, 11-speed", "1", "£42.90", "£42.90"),
        ("Rear wheel truing", "1", "£25.00", "£25.00"),
        ("Tyre, 700x38C", "2", "£36.25", "£72.50"),
        ("Workshop hours", "3", "£54.00", "£162.00"),
        ("Total due", "", "", "£339.40"),
    )
    draw_table(page, (56, 110), (200, 80, 100, 100), rows)
    _pdf(path, document, "Invoice BW-2026-0317", "Brightwater Cycles")


def write_timetable(path: Path) -> None:
    """A Czech timetable with a table."""
    import pymupdf

    document = pymupdf.open()
    page = document.new_page()
    _text(
        page,
        60,
        "<h1>Lodní doprava na přehradě</h1><p>Jízdní řád platí od 1. května do 30. září 2026. Přeprava jízdního kola"
        " stojí 60 Kč, děti do šesti let jezdí zdarma.</p>",
    )
    rows = (
        ("Přístaviště", "Ranní loď", "Odpolední loď", "Večerní loď"),
        ("Bystrc", "9:10", "13:40", "17:25"),
        ("Sokolské koupaliště", "9:32", "14:02", "17:47"),
        ("Hrad Veveří", "10:05", "14:35", "18:20"),
        ("Veverská Bítýška", "10:28", "14:58", "18:43"),
    )
    draw_table(page, (56, 150), (170, 100, 110, 100), rows)
    _pdf(path, document, "Jízdní řád lodní dopravy", "Přístav Bystrc")


def write_scanned_lease(path: Path) -> None:
    """A German lease that is only a picture of a page."""
    import pymupdf

    page = html_picture(
        "<h1 style='font-size:46px'>Mietvertrag</h1><div style='font-size:27px'>"
        "<p>Vermieterin: Hannelore Brückner, Lindenstraße 8, Jena</p><p>Mieter: Tomasz Wiśniewski</p>"
        "<p>§ 1 Die Wohnung im zweiten Stock hat 64 Quadratmeter.</p>"
        "<p>§ 2 Die Kaltmiete beträgt 842,50 Euro im Monat.</p>"
        "<p>§ 3 Die Kaution beträgt drei Monatsmieten.</p>"
        "<p>§ 4 Die Kündigungsfrist beträgt drei Monate.</p>"
        "<p>§ 5 Haustiere sind nach Absprache erlaubt.</p><p>Jena, den 12. März 2025</p></div>",
        (1000, 900),
    )
    picture = io.BytesIO()
    scan_of(page, seed=7).save(picture, "JPEG", quality=82)
    document = pymupdf.open()
    sheet = document.new_page(width=500, height=450)
    sheet.insert_image(sheet.rect, stream=picture.getvalue())
    _pdf(path, document, "", "")


def write_minutes(path: Path) -> None:
    """English minutes of a meeting as a Word file."""
    import docx

    document = docx.Document()
    properties = document.core_properties
    properties.title, properties.author = "Minutes of the allotment society", "Priya Raman"
    properties.created = properties.modified = WHEN
    document.add_heading("Allotment society: minutes of 22 September 2026", level=1)
    document.add_heading("Water", level=2)
    document.add_paragraph(
        "The committee agreed to replace the pump behind plot 17. Dafydd Pryce will order it; the work starts on "
        "9 November 2026 and the water is off for two days."
    )
    document.add_heading("Seed exchange", level=2)
    document.add_paragraph("The seed exchange takes place in the village hall. Everyone brings labelled bags.")
    table = document.add_table(rows=1, cols=3)
    _fill(table.rows[0].cells, ("Plot", "Tenant", "Rent paid until"))
    for row in (
        ("12", "Lindiwe Moyo", "March 2027"),
        ("17", "Dafydd Pryce", "June 2027"),
        ("23", "Aino Virta", "May 2026"),
    ):
        _fill(table.add_row().cells, row)
    document.save(str(path))


def _fill(cells: Sequence[Any], texts: Sequence[str]) -> None:
    for cell, text in zip(cells, texts, strict=True):
        cell.text = text


def write_budget(path: Path) -> None:
    """An English household budget as an Excel file with two sheets."""
    import openpyxl

    book = openpyxl.Workbook()
    book.properties.creator, book.properties.title = "Lindiwe Moyo", "Household budget 2026"
    book.properties.created = book.properties.modified = WHEN
    sheet = book.worksheets[0]
    sheet.title = "Costs"
    for row in (
        ("Category", "January", "February", "March"),
        ("Electricity", 84.2, 79.65, 71.1),
        ("Piano lessons", 120, 120, 90),
        ("Bus passes", 61.5, 61.5, 61.5),
        ("Vet", 0, 148.3, 0),
    ):
        sheet.append(row)
    savings = book.create_sheet("Savings")
    savings.append(("Goal", "Amount", "Reached by"))
    savings.append(("New roof", 8400, "2028"))
    savings.append(("Trip to Iceland", 2650, "2027"))
    book.save(path)


def write_note(path: Path) -> None:
    """A Spanish gardening note as Markdown."""
    path.write_text(
        "# Cuaderno del huerto\n\n## Tomates\n\nSembrar los tomates a mediados de febrero, dentro de casa. Trasplantar "
        "cuando la planta mida quince centímetros.\n\n## Ajos\n\nPlantar los ajos en noviembre, a tres centímetros de "
        "profundidad, y cosechar a finales de junio.\n\n## Riego\n\nRegar por la mañana, cada dos días en julio "
        "y agosto.\n",
        "utf-8",
    )
