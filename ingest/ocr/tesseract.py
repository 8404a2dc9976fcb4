"""Text in the scripts that RapidOCR's models do not know, by the program Tesseract where it is installed."""

from __future__ import annotations

import io
import logging
import os
import re
import shutil
import subprocess
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from ingest.ocr.rapid import Glyph, Region

if TYPE_CHECKING:
    from PIL.Image import Image

_LOG = logging.getLogger(__name__)
_TIMEOUT = 10
"""Seconds of one call, of which there are two: less than the time after which a silent worker is killed."""
_MIN_WORD = 40.0
"""Confidence, 0 to 100, under which a word is noise."""
_MIN_LINE = 75.0
_MIN_LETTERS = 3
"""Letters of a line at least: in photos, Tesseract sees words of one or two where there are none."""
_MAX_PACKS = 4

SCRIPTS: dict[str, tuple[str, ...]] = {
    "Cyrillic": ("rus", "ukr", "bul", "srp", "bel", "mkd", "kaz"),
    "Greek": ("ell", "grc"),
    "Arabic": ("ara", "fas", "urd"),
    "Hebrew": ("heb", "yid"),
    "Devanagari": ("hin", "mar", "nep", "san"),
    "Bengali": ("ben", "asm"),
    "Tamil": ("tam",),
    "Telugu": ("tel",),
    "Gujarati": ("guj",),
    "Kannada": ("kan",),
    "Malayalam": ("mal",),
    "Gurmukhi": ("pan",),
    "Sinhala": ("sin",),
    "Thai": ("tha",),
    "Lao": ("lao",),
    "Khmer": ("khm",),
    "Myanmar": ("mya",),
    "Hangul": ("kor",),
    "Georgian": ("kat",),
    "Armenian": ("hye",),
    "Ethiopic": ("amh", "tir"),
}
"""Scripts that RapidOCR's models do not know, with Tesseract's packs for them, the most spoken language first."""
_NAMED = ("Cyrillic", "Greek", "Arabic", "Hebrew", "Devanagari", "Bengali", "Tamil", "Telugu", "Thai", "Hangul")
"""Scripts named in the advice of `missing_scripts`."""
_SPOKEN_NAMES = {"Hangul": "Korean"}


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    score: float
    line: tuple[str, ...]
    x0: int
    y0: int
    x1: int
    y1: int


def missing_scripts() -> str | None:
    """One line that says which scripts are not read in pictures and how to install them; `None` if none is missing."""
    installed = languages()
    missing = [name for name in _NAMED if not any(pack in installed for pack in SCRIPTS[name])]
    if not missing:
        return None
    names = ", ".join(_SPOKEN_NAMES.get(name, name) for name in missing)
    packs = " ".join(f"tesseract-ocr-{SCRIPTS[name][0]}" for name in missing)
    return (
        f"Text in pictures and scans is not read in these scripts: {names}. Install Tesseract with the packs you need: "
        f"sudo apt-get install tesseract-ocr {packs} (Debian, Ubuntu), brew install tesseract tesseract-lang (macOS)"
    )


@lru_cache(maxsize=1)
def languages() -> frozenset[str]:
    """Language packs of the installed Tesseract; empty where it is not installed or does not run."""
    output = _run(["--list-langs"], b"")
    lines = output.decode("utf-8", "replace").splitlines()[1:]
    return frozenset(line.strip().removeprefix("script/") for line in lines if line.strip())


def can_help() -> bool:
    """Whether a pack for one of `SCRIPTS` is installed."""
    return bool(_packs(SCRIPTS))


def read_other_scripts(picture: Image, sparse: bool) -> list[Region]:
    """Lines of text in one of `SCRIPTS`, quads in pixels; `sparse` where a few words stand here and there.

    Empty where no pack is installed, nothing is found or the program takes longer than its time limit.
    """
    buffer = io.BytesIO()
    picture.convert("L").save(buffer, "PNG", compress_level=1)
    packs = _packs(SCRIPTS if sparse else _seen_scripts(buffer.getvalue()))
    if not packs:
        return []
    mode = "11" if sparse else "3"
    table = _run(
        ["stdin", "stdout", "-l", "+".join((*packs, "eng") if "eng" in languages() else packs), "--psm", mode, "tsv"],
        buffer.getvalue(),
    )
    words = _words(table.decode("utf-8", "replace"))
    lines = (list(line) for _, line in groupby(words, key=lambda word: word.line))
    return [_region(line) for line in lines if _is_wanted(line)]


def is_other_script(char: str) -> bool:
    """Whether a letter belongs to one of `SCRIPTS`."""
    if not char.isalpha() or char < "\u0370":
        return False
    name = unicodedata.name(char, "")
    return name.split(" ", 1)[0].title() in SCRIPTS


def _packs(scripts: Iterable[str]) -> tuple[str, ...]:
    """Installed packs for the scripts: one for each as long as there is room, else more for one."""
    installed = languages()
    found = [[pack for pack in (*SCRIPTS[name], name) if pack in installed] for name in scripts]
    if len(found) == 1:
        return tuple(found[0][:2])
    return tuple(packs[0] for packs in found if packs)[:_MAX_PACKS]


def _seen_scripts(png: bytes) -> list[str]:
    """The script that Tesseract's own detection sees, or all where it cannot tell."""
    if "osd" in languages():
        report = _run(["stdin", "stdout", "--psm", "0"], png).decode("utf-8", "replace")
        match = re.search(r"^Script: (\w+)", report, re.MULTILINE)
        if match and match.group(1) in SCRIPTS and _packs([match.group(1)]):
            return [match.group(1)]
    return list(SCRIPTS)


def _run(arguments: Sequence[str], data: bytes) -> bytes:
    """Standard output of Tesseract; empty where it is not installed, fails or takes too long."""
    program = shutil.which("tesseract")
    if program is None:
        return b""
    environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}
    try:
        done = subprocess.run(
            [program, *arguments], input=data, capture_output=True, timeout=_TIMEOUT, env=environment, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        _LOG.warning("Tesseract gave no result: %s", error)
        return b""
    return done.stdout if done.returncode == 0 else b""


def _words(table: str) -> list[_Word]:
    words = []
    for row in table.splitlines()[1:]:
        cells = row.split("\t")
        if len(cells) < 12 or cells[0] != "5" or not cells[11].strip() or float(cells[10]) < _MIN_WORD:
            continue
        left, top, width, height = map(int, cells[6:10])
        text = cells[11].strip()
        words.append(_Word(text, float(cells[10]), tuple(cells[2:5]), left, top, left + width, top + height))
    return words


def _is_wanted(line: Sequence[_Word]) -> bool:
    """Whether a line is read with confidence and mostly in letters that RapidOCR does not know."""
    letters = [char for word in line for char in word.text if char.isalpha()]
    sure = sum(word.score * len(word.text) for word in line) / sum(len(word.text) for word in line)
    return (
        len(letters) >= _MIN_LETTERS and sure >= _MIN_LINE and sum(map(is_other_script, letters)) >= 0.5 * len(letters)
    )


def _region(line: Sequence[_Word]) -> Region:
    x0, y0 = min(word.x0 for word in line), min(word.y0 for word in line)
    x1, y1 = max(word.x1 for word in line), max(word.y1 for word in line)
    width = max(1, x1 - x0)
    glyphs: list[Glyph] = []
    offset = 0
    for word in line:
        extent = ((word.x0 - x0) / width, (word.x1 - x0) / width)
        places = (place for place, char in enumerate(word.text, offset) if not char.isspace())
        glyphs.extend(Glyph(place, *extent) for place in places)
        offset += len(word.text) + 1
    quad = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], dtype=np.float32)
    score = sum(word.score for word in line) / len(line) / 100
    return Region(" ".join(word.text for word in line), score, quad, tuple(glyphs))
