"""How faithfully the text of a paged document is read: ``python -m eval.fidelity FILE.pdf [--text FILE]``.

With an authoritative text of the same content (form feeds may part its pages) each page is compared with it, in the
manner of the Lexical Content Score of LEMUR (Baba Ahmadi et al., "LEMUR: Robust Fine-Tuning for Multilingual Embedding
Models for Retrieval", EACL SRW 2026). Without one, the page's own text is compared with what OCR reads on it, so that
documents whose text layer is not what one sees are found. OCR makes mistakes of its own, and knows some scripts only:
a low score says that somebody should look at the page. What the figures are: `eval.fidelity.scores`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from eval.fidelity.scores import Fidelity, cut_like, score, score_tokens, tokens
from haystack_agent.errors import HaystackError, UsageError
from haystack_agent.media import Preview, types_shown
from haystack_agent.records import AssetMeta, Locator, Modality, Piece, PieceKind
from ingest.files.hashing import examine
from ingest.readers.protocol import Progress, ReadEvent, Source
from ingest.readers.registry import ReaderEntry, ReaderRegistry, default_registry
from ingest.workers.sandbox import FileEnded, FileRead, Limits, SandboxOptions, read_files

if TYPE_CHECKING:
    from ingest.ocr.recognition import OcrEngine

_WORST = 5
_LIMITS = Limits(silent=60, total=4 * 3600, memory=4 << 30)
"""More than for indexing, since OCR is run on every page."""


@dataclass(frozen=True, slots=True)
class PageFidelity:
    """A page from 1 and its scores; none where the page has no text of its own to compare."""

    page: int
    scores: Fidelity | None


def score_pages(path: Path, authoritative: Sequence[str] | str) -> tuple[list[PageFidelity], Fidelity]:
    """Compare every page, and the whole, with an authoritative text: one for each page, or one for all.

    One text for all is cut where the pages' beginnings are found in it. Read by the product's own reader, OCR included.

    Raises:
        UsageError: it is not a document of pages.
        ReadFailed: it cannot be read.
    """
    extracted = [tokens(text) for text in extracted_pages(path)]
    if isinstance(authoritative, str):
        wanted = cut_like(extracted, tokens(authoritative))
    else:
        wanted = [tokens(text) for text in authoritative]
    nothing: list[str] = []
    pages = [
        PageFidelity(number, score_tokens(mine, theirs))
        for number, (mine, theirs) in enumerate(zip_longest(extracted, wanted, fillvalue=nothing), start=1)
    ]
    return pages, score_tokens([t for page in extracted for t in page], [t for page in wanted for t in page])


def extracted_pages(path: Path) -> list[str]:
    """The text of every page as the product reads it, in a process with the product's limits.

    Raises:
        UsageError: it is not a document of pages.
        ReadFailed: it cannot be read.
    """
    texts = {one.locator.page or 1: one.text for one in _page_pieces(path, default_registry())}
    return [texts.get(page, "") for page in range(1, max(texts, default=0) + 1)]


def compare_layers(path: Path) -> list[PageFidelity]:
    """Compare the text layer of every page with what OCR reads on it, as if that were the authority.

    No scores for pages that the product reads by OCR anyway. Raises as `extracted_pages`.
    """
    entry = ReaderEntry(types_shown(Preview.PAGE), 1, "eval.fidelity.pages", "LayerReader", ocr=True)
    layers: dict[int, dict[bool, str]] = {}
    for one in _page_pieces(path, ReaderRegistry((entry,)), SandboxOptions(limits=lambda _: _LIMITS)):
        layers.setdefault(one.locator.page or 1, {})[one.ocr] = one.text
    return [
        PageFidelity(page, score(both[False], both[True]) if len(both) == 2 else None)
        for page, both in sorted(layers.items())
    ]


class LayerReader:
    """Yields each page's text by OCR and, unless the product mistrusts it, the page's own text."""

    def __init__(self, ocr: OcrEngine) -> None:
        self._ocr = ocr

    def read(self, source: Source) -> Iterator[ReadEvent]:
        """Yield one or two pieces a page.

        Raises:
            ReadFailed: the file cannot be opened.
        """
        from ingest.readers.pages.fonts.mending import DocumentFonts
        from ingest.readers.pages.layout import arrange
        from ingest.readers.pages.native import read_native
        from ingest.readers.pages.opening import open_document
        from ingest.readers.pages.pixels import PixelReader, needs_ocr

        pixels = PixelReader(self._ocr)
        with closing(open_document(source.path, source.media_type)) as document:
            fonts = DocumentFonts(document)
            for number in range(1, document.page_count + 1):
                page = document.load_page(number - 1)
                native = read_native(page, fonts)
                seen, _ = arrange(pixels.page(pixels.page_image(page), native.frame))
                yield _piece(source, number, "\n".join(line.line.text for line in seen), ocr=True)
                if not needs_ocr(native):
                    own, _ = arrange(native.fragments, native.rules)
                    yield _piece(source, number, "\n".join(line.line.text for line in own), ocr=False)
                yield Progress(number, document.page_count)


def _piece(source: Source, page: int, text: str, ocr: bool) -> Piece:
    meta = AssetMeta(source.media_type)
    return Piece(source.asset_id, PieceKind.PAGE, Modality.DOCUMENT, 2 * page + ocr, Locator(page), text, meta, ocr=ocr)


def _page_pieces(path: Path, registry: ReaderRegistry, options: SandboxOptions = SandboxOptions()) -> Iterator[Piece]:
    try:
        file = examine(path)
    except OSError as error:
        raise UsageError(f"{path.name} cannot be opened ({error.strerror}).") from error
    if file.media_type not in types_shown(Preview.PAGE) or file.content_id is None:
        raise UsageError(f"{path.name} is not a document of pages: name a PDF, XPS, EPUB ... file.")
    source = Source(path.absolute(), file.content_id, file.media_type)
    with closing(read_files([(source, file.stat)], registry, options)) as events:
        for event in events:
            if isinstance(event, FileRead):
                yield from (one for one in event.events if isinstance(one, Piece) and one.kind is PieceKind.PAGE)
            elif isinstance(event, FileEnded) and event.error is not None:
                raise type(event.error)(f"{path.name}: {event.error}")


def table(pages: Sequence[PageFidelity], whole: Fidelity | None = None) -> list[str]:
    """The scores as lines of a Markdown table, and below what is wrong on the worst pages."""
    lines = ["| page | precision | recall | F1 | LCS | order |", "|---:|---:|---:|---:|---:|---:|"]
    lines += [_row(str(one.page), one.scores) for one in pages]
    if whole is not None:
        lines.append(_row("all", whole))
    wrong = [(one.scores.f1, one.page, one.scores) for one in pages if one.scores and one.scores.f1 < 1]
    for _, page, scores in sorted(wrong, key=lambda one: one[:2])[:_WORST]:
        lines.append(
            f"\npage {page}: missing {' '.join(scores.missing) or '-'}; not there {' '.join(scores.extra) or '-'}"
        )
    return lines


def _row(name: str, scores: Fidelity | None) -> str:
    if scores is None:
        return f"| {name} | read by OCR | | | | |"
    values = (scores.precision, scores.recall, scores.f1, scores.cosine, scores.order)
    return f"| {name} | {' | '.join(f'{value:.3f}' for value in values)} |"


def _authoritative(path: Path) -> list[str] | str:
    try:
        parts = path.read_text("utf-8").removesuffix("\f").split("\f")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read as UTF-8 text ({error}).") from error
    return parts if len(parts) > 1 else parts[0]


def main(arguments: Sequence[str] | None = None) -> int:
    """Score a document and print the table; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m eval.fidelity", description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("file", type=Path, help="a PDF or another document of pages")
    parser.add_argument("--text", type=Path, help="its text as it should be, UTF-8; form feeds may part the pages")
    options = parser.parse_args(arguments)
    try:
        if options.text is None:
            lines = table(compare_layers(options.file))
        else:
            lines = table(*score_pages(options.file, _authoritative(options.text)))
    except HaystackError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    print("\n".join(lines))  # noqa: T201
    return 0
