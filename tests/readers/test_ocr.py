"""OCR: reading order, word boxes, spaces, scripts, and no download; on drawn pictures and on real ones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from haystack_agent.errors import ModelUnavailable
from ingest.ocr import rapid, tesseract
from ingest.ocr.layout import join_lines
from ingest.ocr.rapid import Region
from ingest.ocr.recognition import OcrEngine, OcrLine, lines_of
from ingest.ocr.rows import rows_in_order
from ingest.ocr.spacing import split_words
from tests.support.paths import SHARED

MEDIA = SHARED / "real_media" / "images"
DEJAVU = Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
NEEDS_RUSSIAN = pytest.mark.skipif("rus" not in tesseract.languages(), reason="needs Debian's tesseract-ocr-rus")


@pytest.fixture(scope="module")
def engine() -> OcrEngine:
    return OcrEngine()


def draw(lines: list[tuple[int, int, str]], size: tuple[int, int] = (900, 400), points: int = 30) -> Image.Image:
    picture = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(picture)
    for x, y, text in lines:
        pen.text((x, y), text, font=ImageFont.load_default(points), fill="black")
    return picture


def region(text: str, x: float, y: float, width: float | None = None, height: float = 20) -> Region:
    right = x + (width if width is not None else 10 * len(text))
    quad = np.array([[x, y], [right, y], [right, y + height], [x, y + height]], dtype=np.float32)
    return Region(text, 1.0, quad, ())


def rows(regions: list[Region]) -> list[str]:
    return [" ".join(part.text for part in row) for row in rows_in_order(regions)]


def text_of(lines: list[OcrLine]) -> str:
    return "\n".join(line.text for line in lines)


def real(name: str) -> Image.Image:
    path = MEDIA / name
    if not path.exists():
        pytest.skip("shared/real_media is not here: the check on real pictures needs it")
    with Image.open(path) as image:
        return image.convert("RGB")


def test_words_of_a_line_fit_its_text_and_stand_where_they_are_drawn(engine: OcrEngine) -> None:
    picture = draw([(60, 100, "Invoice number 4711 of Monday")])
    (line,) = engine.read(picture)
    assert line.text == "Invoice number 4711 of Monday"
    assert [line.text[word.start : word.end] for word in line.words] == line.text.split()
    font = ImageFont.load_default(30)
    for word in line.words:
        assert word.box is not None
        left = 60 + font.getlength(line.text[: word.start])
        right = 60 + font.getlength(line.text[: word.end])
        assert word.box.x0 * 900 == pytest.approx(left, abs=14)
        assert word.box.x1 * 900 == pytest.approx(right, abs=14)
        assert 85 < word.box.y0 * 400 < 115 < word.box.y1 * 400 < 150


def test_label_and_amount_of_a_receipt_are_one_line(engine: OcrEngine) -> None:
    picture = draw([(40, 40, "COFFEE BEANS"), (700, 42, "12.50"), (40, 100, "SUB TOTAL"), (700, 100, "17,000")])
    assert [line.text for line in engine.read(picture)] == ["COFFEE BEANS 12.50", "SUB TOTAL 17,000"]


def test_a_tilted_receipt_keeps_its_rows(engine: OcrEngine) -> None:
    picture = draw([(100, 150, "COFFEE"), (700, 150, "12.50"), (100, 200, "TEA"), (700, 200, "3.25")])
    turned = picture.rotate(4, fillcolor="white", resample=Image.Resampling.BICUBIC)
    assert [line.text for line in engine.read(turned)] == ["COFFEE 12.50", "TEA 3.25"]


def test_columns_of_running_text_are_read_one_after_the_other() -> None:
    left = [region(f"left words of the story line {n}", 0, 30 * n, 300) for n in range(6)]
    right = [region(f"right words of the story line {n}", 330, 30 * n + 4, 300) for n in range(6)]
    headline = region("A headline that spans both of the columns", 0, -60, 630, 30)
    order = rows([*right, *left, headline])
    assert order == [headline.text, *(part.text for part in left), *(part.text for part in right)]


def test_long_labels_of_a_table_stay_with_their_amounts() -> None:
    labels = [region(f"organic fair trade coffee beans number {n}", 0, 30 * n, 300) for n in range(5)]
    amounts = [region(f"{n}2.50", 600, 30 * n + 3, 50) for n in range(5)]
    assert rows([*amounts, *labels]) == [f"{labels[n].text} {amounts[n].text}" for n in range(5)]


def test_text_below_another_is_no_part_of_its_row() -> None:
    assert rows([region("below", 0, 25), region("above", 0, 0)]) == ["above", "below"]


@pytest.mark.parametrize("angle", [90, 180, 270])
def test_a_scan_on_its_side_or_head_is_read(engine: OcrEngine, angle: int) -> None:
    lines = [(40, 30 + 50 * n, f"Line number {n} of the rotated scan") for n in range(6)]
    picture = draw(lines, (640, 400), 28).rotate(angle, expand=True)
    assert text_of(engine.read(picture)) == "\n".join(text for _, _, text in lines)


def test_label_that_reads_upwards_beside_a_chart(engine: OcrEngine) -> None:
    picture = draw([(200, 40, "Downloads by year"), (200, 300, "2020 2021 2022")])
    label = draw([(10, 4, "Thousands of downloads")], (340, 44), 28).rotate(90, expand=True)
    picture.paste(label, (40, 20))
    assert "Thousands of downloads" in text_of(engine.read(picture))


@pytest.mark.parametrize(("gap", "parts"), [(12, ["SECOND", "AGENCY"]), (1, ["SECONDAGENCY"])])
def test_space_that_was_left_out_is_seen_again(gap: int, parts: list[str]) -> None:
    crop = np.full((40, 240, 3), 255, dtype=np.uint8)
    centres = [12 + 18 * n + (gap if n >= 6 else 0) for n in range(12)]
    for centre in centres:
        crop[4:36, centre - 6 : centre + 7] = 0
    assert split_words(["SECONDAGENCY"], crop, [centre / 239 for centre in centres]) == parts


def test_letters_set_wide_are_one_word() -> None:
    crop = np.full((20, 480, 3), 255, dtype=np.uint8)
    centres = [12 + 36 * n for n in range(12)]
    for centre in centres:
        crop[2:18, centre - 6 : centre + 7] = 0
    assert split_words(["SECONDAGENCY"], crop, [centre / 479 for centre in centres]) == ["SECONDAGENCY"]


def test_pictures_without_text_give_none(engine: OcrEngine) -> None:
    noise = np.random.default_rng(7).integers(0, 255, (300, 400, 3), dtype=np.uint8)
    assert engine.read(Image.fromarray(noise)) == []
    assert engine.read(Image.new("RGB", (300, 300), "navy")) == []


@pytest.mark.parametrize("size", [(1, 1), (5, 3000), (3000, 5), (33, 33)])
def test_odd_sizes_are_no_error(engine: OcrEngine, size: tuple[int, int]) -> None:
    assert engine.read(Image.new("RGB", size, "white")) == []


def test_small_print_on_a_big_page_is_read(engine: OcrEngine) -> None:
    lines = [(400, 400 + 100 * n, f"Ordinary line {n} of a page scanned at high resolution") for n in range(12)]
    picture = draw([*lines, (2400, 3900, "batch 77-1234-X of the small print")], (3600, 4800), 36)
    assert "77-1234-X" in text_of(engine.read(picture))


def test_paragraphs_begin_blocks(engine: OcrEngine) -> None:
    picture = draw([(40, 20, "First line of one"), (40, 60, "second line of one"), (40, 200, "Another paragraph")])
    lines = lines_of(engine.read(picture))
    assert [line.starts_block for line in lines] == [True, False, True]
    text, spans = join_lines(lines)
    assert [text[span.start : span.end] for span in spans] == text.split()


def test_a_missing_model_is_reported_and_not_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "rapidocr"
    package.mkdir()
    (package / "__init__.py").write_text("raise AssertionError('must not be imported')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "rapidocr", raising=False)
    with pytest.raises(ModelUnavailable, match="PP-OCRv6"):
        rapid.RapidReader(1).detect(np.zeros((64, 64, 3), dtype=np.uint8))


@NEEDS_RUSSIAN
def test_cyrillic_by_tesseract(engine: OcrEngine) -> None:
    picture = Image.new("RGB", (900, 240), "white")
    text = "Московский метрополитен открыт в 1935 году\nСтанция Площадь Революции"
    font = ImageFont.truetype(DEJAVU, 30)
    ImageDraw.Draw(picture).multiline_text((30, 40), text, font=font, fill="black", spacing=14)
    lines = engine.read(picture)
    assert text_of(lines) == text
    assert [lines[1].text[word.start : word.end] for word in lines[1].words] == ["Станция", "Площадь", "Революции"]
    assert all(word.box is not None and word.box.x0 < word.box.x1 for line in lines for word in line.words)


def test_missing_scripts_names_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    tesseract.languages.cache_clear()
    try:
        advice = tesseract.missing_scripts()
    finally:
        tesseract.languages.cache_clear()
    assert advice is not None
    assert "\n" not in advice
    for part in ("Cyrillic", "Arabic", "tesseract-ocr-rus", "brew install tesseract"):
        assert part in advice


@NEEDS_RUSSIAN
def test_missing_scripts_leaves_out_what_is_installed() -> None:
    assert "Cyrillic" not in (tesseract.missing_scripts() or "")


def test_real_receipt(engine: OcrEngine) -> None:
    lines = [line.text for line in engine.read(real("img_057.jpg"))]
    assert "SUB TOTAL 17,000" in lines
    assert "CHANGE DUE 3,000" in lines
    assert "CINNAMON SUGAR" in lines


def test_real_chart_and_sign(engine: OcrEngine) -> None:
    assert "50-69 years old 201.38" in text_of(engine.read(real("img_070.png")))
    sign = engine.read(real("img_045.jpg"))
    assert "愚园路" in text_of(sign)
    assert any(line.text[word.start : word.end] == "愚" for line in sign for word in line.words)


def test_real_photo_without_text_gives_no_garbage(engine: OcrEngine) -> None:
    assert engine.read(real("img_003.jpg")) == []


def test_nothing_is_reported_to_the_makers_of_the_runtime(tmp_path: Path) -> None:
    script = (
        "import numpy as np\n"
        "from ingest.ocr.rapid import RapidReader\n"
        "RapidReader(1).detect(np.zeros((64, 64, 3), dtype=np.uint8))\n"
    )
    left_out = {"ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME"}
    environment = {name: value for name, value in os.environ.items() if name not in left_out}
    subprocess.run([sys.executable, "-c", script], env={**environment, "HOME": str(tmp_path)}, check=True, timeout=120)
    assert [path for path in tmp_path.rglob("*") if "icrosoft" in path.name] == []
