"""The reader of files that are text: plain, Markdown, HTML, CSV."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

from haystack_agent.errors import ReadFailed
from haystack_agent.media import OpenedAs, types_opened
from haystack_agent.records import AssetMeta
from ingest.ocr.layout import Line
from ingest.readers.office.blocks import Block, BlockPieces, Heading, Paragraph
from ingest.readers.pages.meta import parse_date, sensible_author, sensible_title
from ingest.readers.pages.sections import PieceMaker
from ingest.readers.pages.tables.find import Cell, Table, is_figure, with_header
from ingest.readers.protocol import Progress, ReadEvent, Source, Warned
from ingest.readers.text.encodings import decode
from ingest.readers.text.markdown import front_matter, markdown_blocks
from ingest.readers.text.markup import html_blocks, html_tree

MEDIA_TYPES = types_opened(OpenedAs.AS_TEXT)
READER_VERSION = 1

MAX_BYTES = 20 * 1024 * 1024
MAX_LINE = 20_000
MAX_ROWS = 20_000
MAX_COLUMNS = 200
BATCH = 400


class TextReader:
    """Reads text files: passages with their headings, and the rows of tables."""

    def read(self, source: Source) -> Iterator[ReadEvent]:
        """Yield the pieces of the file in order of `Piece.index`.

        Raises:
            ReadFailed: the file cannot be read, or is not text.
        """
        text, cut = read_text(source.path)
        if cut:
            yield Warned(f"only the first {MAX_BYTES // 2**20} MB of the file were read")
        yield Progress(0, 1)
        if source.media_type == "csv":
            yield from _csv(source, text)
        else:
            meta, blocks, warning = _document(source.media_type, text)
            if warning:
                yield Warned(warning)
            yield from _with_progress(BlockPieces(PieceMaker(source.asset_id, meta)).pieces(blocks))
        yield Progress(1, 1)


def _with_progress(pieces: Iterable[ReadEvent]) -> Iterator[ReadEvent]:
    for number, piece in enumerate(pieces):
        yield piece
        if number % 200 == 199:
            yield Progress(0, 1)


def read_text(path: Path) -> tuple[str, bool]:
    """The file's text, and whether it was cut at `MAX_BYTES`.

    Raises:
        ReadFailed: the file cannot be read, or holds bytes of no text.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ReadFailed(f"the file cannot be read ({error.strerror}); check its permissions") from error
    text = decode(data[:MAX_BYTES])
    if text.count("\0") > 0.01 * len(text):
        raise ReadFailed("the file is called text but holds other bytes; it was not read")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", ""), len(data) > MAX_BYTES


def _document(media_type: str, text: str) -> tuple[AssetMeta, Iterator[Block], str]:
    """What the text says of itself, its blocks, and a warning if not all of it is among them."""
    if media_type == "html":
        return _html(text)
    lines = list(_short_lines(text))
    if media_type != "markdown":
        return AssetMeta(media_type), _plain_blocks(lines), ""
    facts, used = front_matter(lines)
    first = next((block.text for block in markdown_blocks(lines[used:]) if isinstance(block, Heading)), "")
    meta = AssetMeta(
        media_type,
        title=sensible_title(facts.get("title")) or first,
        author=sensible_author(facts.get("author")),
        created=parse_date(facts.get("date")),
    )
    return meta, markdown_blocks(lines[used:]), ""


def _short_lines(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        yield from (line[at : at + MAX_LINE] for at in range(0, max(1, len(line)), MAX_LINE))


def _plain_blocks(lines: Iterable[str]) -> Iterator[Block]:
    """Lines as they are; a block begins after each empty line."""
    starts = True
    for line in lines:
        if line.strip():
            yield Paragraph(Line(line.rstrip(), starts_block=starts))
        starts = not line.strip()


def _html(text: str) -> tuple[AssetMeta, Iterator[Block], str]:
    root, cut = html_tree(text)
    warning = "what is nested too deeply, and all after it, was not read" if cut else ""
    if root is None:
        return AssetMeta("html"), iter(()), warning
    facts = {
        (meta.get("name") or meta.get("property") or "").lower(): meta.get("content") for meta in root.iter("meta")
    }
    title = next((" ".join("".join(node.itertext()).split()) for node in root.iter("title")), "")
    first = next((" ".join("".join(node.itertext()).split()) for node in root.iter("h1")), "")
    date = facts.get("article:published_time") or facts.get("date") or facts.get("dc.date")
    meta = AssetMeta(
        "html",
        title=sensible_title(title) or sensible_title(first),
        author=sensible_author(facts.get("author")),
        created=parse_date(date),
        caption=" ".join((facts.get("description") or "").split())[:500],
    )
    return meta, html_blocks(root), warning


def _csv(source: Source, text: str) -> Iterator[ReadEvent]:
    """Rows in batches, all under the names in the first of them."""
    lines = (line for line in _short_lines(text))
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    rows = csv.reader((line + "\n" for line in lines), delimiter=_delimiter(text[:20_000]))
    writer = BlockPieces(PieceMaker(source.asset_id, AssetMeta("csv")))
    names: tuple[str, ...] | None = None
    count = 0
    while batch := _batch(rows):
        table, names = _csv_table(batch, names)
        yield from writer.pieces([table] if len(batch[0]) > 1 else [Paragraph(Line(row[0].text)) for row in batch])
        yield Progress(0, 1)
        count += len(batch)
        if count >= MAX_ROWS:
            yield Warned(f"only the first {MAX_ROWS} rows of the file were read")
            return


def _batch(rows: Iterator[list[str]]) -> list[list[Cell]]:
    batch: list[list[Cell]] = []
    while len(batch) < BATCH:
        try:
            row = next(rows)
        except StopIteration:
            break
        except csv.Error as error:
            raise ReadFailed("the CSV file is damaged: one of its cells does not end") from error
        if any(cell.strip() for cell in row):
            batch.append([Cell(" ".join(cell.split())) for cell in itertools.islice(row, MAX_COLUMNS)])
    return batch


def _csv_table(batch: list[list[Cell]], names: tuple[str, ...] | None) -> tuple[Table, tuple[str, ...]]:
    width = max(map(len, batch))
    rows = [[*row, *[Cell()] * (width - len(row))] for row in batch]
    if names is None:
        table = with_header(rows)
        if not table.header and _are_names(rows[0]):
            table = Table(tuple(map(tuple, rows[1:])), tuple(cell.text for cell in rows[0]))
        return table, table.header
    return Table(tuple(map(tuple, rows)), (*names, *[""] * width)[:width] if names else ()), names


def _are_names(row: list[Cell]) -> bool:
    """Whether the first row of a CSV file can be the names of its columns: filled, all different, no numbers."""
    texts = [cell.text for cell in row]
    return all(texts) and len(set(texts)) == len(texts) and not any(map(is_figure, texts))


def _delimiter(sample: str) -> str:
    """The delimiter that cuts the first lines into the same number of cells most often; a comma in doubt."""
    lines = [line for line in sample.split("\n")[:30] if line.strip()]
    best, score = ",", 0.0
    for delimiter in ",;\t|":
        counts = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
        usual = max(set(counts), key=counts.count, default=1)
        if usual > 1 and counts.count(usual) * min(usual, 20) > score:
            best, score = delimiter, counts.count(usual) * min(usual, 20)
    return best
