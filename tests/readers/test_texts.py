"""Text files: encodings, headings, tables, and files that are made to do harm."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from haystack_agent.errors import ReadFailed
from haystack_agent.records import Modality, Piece, PieceKind
from ingest.ocr.layout import text_units
from ingest.readers.protocol import Progress, Source, Warned
from ingest.readers.text.reader import MAX_BYTES, MAX_ROWS, MEDIA_TYPES, TextReader

SENTENCE = "The harbour master counts the boats every morning before the fog lifts over the bay. "


def events(path: Path, media_type: str) -> list[object]:
    return list(TextReader().read(Source(path, "asset", media_type)))


def read(tmp_path: Path, content: str | bytes, media_type: str) -> list[Piece]:
    path = tmp_path / "file"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    found = [event for event in events(path, media_type) if isinstance(event, Piece)]
    assert [piece.index for piece in found] == list(range(len(found)))
    assert all(piece.modality is Modality.DOCUMENT and piece.locator.page is None for piece in found)
    return found


def rows(found: list[Piece]) -> list[str]:
    return [piece.text for piece in found if piece.kind is PieceKind.TABLE_ROW]


def passages(found: list[Piece]) -> list[str]:
    return [piece.text for piece in found if piece.kind is PieceKind.PASSAGE]


def test_media_types() -> None:
    assert {"txt", "markdown", "html", "csv"} == MEDIA_TYPES


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", "Žluťoučký kůň"),
        ("utf-8-sig", "Žluťoučký kůň"),
        ("utf-16", "Žluťoučký kůň a 東京"),
        ("cp1250", "Příliš žluťoučký kůň úpěl ďábelské ódy. Zítra bude pršet a večer přijde bouře."),
        ("cp1251", "Съешь же ещё этих мягких французских булок, да выпей чаю. Завтра будет дождь."),
        ("shift_jis", "会議は水曜日の午前九時に始まります。資料を忘れないでください。よろしくお願いします。"),
        ("latin-1", "Le café où l'été passe très vite, à côté de la forêt. Ça va être une belle journée."),
    ],
)
def test_encodings(tmp_path: Path, encoding: str, text: str) -> None:
    assert passages(read(tmp_path, text.encode(encoding), "txt")) == [text]


def test_long_texts_become_passages_of_even_size_without_losing_a_word(tmp_path: Path) -> None:
    text = "\n\n".join(f"Paragraph {number}. {SENTENCE * 3}".strip() for number in range(40))
    found = passages(read(tmp_path, text, "txt"))
    assert " ".join(" ".join(found).split()) == " ".join(text.split())
    assert all(40 <= text_units(part) <= 140 for part in found)


def test_one_line_of_many_sentences_is_cut_between_them(tmp_path: Path) -> None:
    found = passages(read(tmp_path, SENTENCE * 200, "txt"))
    assert len(found) > 20
    assert all(part.endswith("bay.") for part in found)
    assert passages(read(tmp_path, "霧が晴れる前に船を数えます。" * 200, "txt"))[0].endswith("。")


def test_markdown(tmp_path: Path) -> None:
    text = f"""---
title: Boat log
author: Kim
date: 2024-05-01
---
# Harbour

{SENTENCE * 5}

## Boats in *March*

| Boat | Length | Owner |
|------|-------:|-------|
| **Anna** | 12 m | Ole \\| Co |
| Berta | 9 m | Per |

```
# not a heading
total = 3
```

{SENTENCE * 4}

Weather
-------

{SENTENCE * 5}
"""
    found = read(tmp_path, text, "markdown")
    assert rows(found) == ["Boat: Anna; Length: 12 m; Owner: Ole | Co", "Boat: Berta; Length: 9 m; Owner: Per"]
    row = next(piece for piece in found if piece.kind is PieceKind.TABLE_ROW)
    assert row.heading == "Harbour > Boats in *March*"
    assert row.meta.title == "Boat log"
    assert row.meta.author == "Kim"
    assert row.meta.created == datetime(2024, 5, 1, tzinfo=UTC)
    assert any("# not a heading\ntotal = 3" in part for part in passages(found))
    assert found[-1].kind is PieceKind.TABLE_ROW
    assert [piece.heading for piece in found if "Weather" in piece.text] == ["Harbour > Weather"]


def test_html(tmp_path: Path) -> None:
    page = f"""<!DOCTYPE html><html><head><title>Harbour &amp; Bay</title><meta name="author" content="Kim">
    <style>p {{ color: red }}</style><script>var hidden = "script text";</script></head><body>
    <h1>Harbour</h1><p>{SENTENCE * 6}</p><p style="display: none">invisible words</p>
    <h2>Fees</h2><table><caption>Fees a day</caption><tr><th>Boat<th>Summer<th>Winter</tr>
    <tr><td rowspan=2>Sailing<td>12.50<td>8.00</tr><tr><td>13.00<td>9.00</tr>
    <tr><td>Motor<td colspan=2>30.00</tr></table>
    <ul><li>First item</li><li>Second item</li></ul><img src="http://127.0.0.1:9/x.png" alt="a red boat">
    <input type="text" value="filled in"><input type="hidden" value="token"></body></html>"""
    found = read(tmp_path, page, "html")
    assert found[0].meta.title == "Harbour & Bay"
    assert found[0].meta.author == "Kim"
    assert rows(found) == [
        "Boat: Sailing; Summer: 12.50; Winter: 8.00",
        "Boat: Sailing; Summer: 13.00; Winter: 9.00",
        "Boat: Motor; Summer: 30.00",
    ]
    text = "\n".join(passages(found))
    for seen in ("First item\nSecond item", "Fees a day", "a red boat", "filled in"):
        assert seen in text
    for unseen in ("script text", "invisible words", "color: red", "token"):
        assert unseen not in text
    assert next(piece for piece in found if piece.kind is PieceKind.TABLE_ROW).heading == "Harbour > Fees"


def test_html_does_not_read_other_files_or_grow(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("top secret")
    bomb = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 20}">' for n in range(1, 9))
    page = (
        f'<!DOCTYPE html [<!ENTITY e0 "lol"><!ENTITY x SYSTEM "file://{tmp_path}/secret.txt">{bomb}]>'
        "<html><body><p>before &x; &e8; after</p></body></html>"
    )
    text = "\n".join(passages(read(tmp_path, page, "html")))
    assert "after" in text
    assert "top secret" not in text
    assert len(text) < 5000


def test_html_nested_without_end_is_read_in_time(tmp_path: Path) -> None:
    start = time.process_time()
    assert "first" in "\n".join(passages(read(tmp_path, "<p>first</p>" + "<div><b><i>" * 100_000 + "deep", "html")))
    assert time.process_time() - start < 15
    assert [event.message for event in events(tmp_path / "file", "html") if isinstance(event, Warned)] == [
        "what is nested too deeply, and all after it, was not read"
    ]


def test_html_nested_as_mail_programs_do_is_read_whole(tmp_path: Path) -> None:
    depth = 1000
    found = read(tmp_path, "".join(f"<div>word{n} " for n in range(depth)) + "</div>" * depth + "<p>after</p>", "html")
    assert len(set(" ".join(passages(found)).split())) == depth + 1
    assert not [event for event in events(tmp_path / "file", "html") if isinstance(event, Warned)]


def test_csv_cells_may_be_long(tmp_path: Path) -> None:
    long = "\n".join(["word"] * 40_000)
    found = read(tmp_path, f'Name,Note\nAda,"{long}"\nBob,short\n', "csv")
    assert "Name: Bob; Note: short" in rows(found)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv(tmp_path: Path, delimiter: str) -> None:
    lines = ["Town,Visitors,Note", 'Brno,"1 200",quiet', 'Praha,9500,"loud, but\nfine"']
    content = "\n".join(lines).replace(",", delimiter).replace(f"loud{delimiter}", "loud,")
    found = read(tmp_path, content, "csv")
    assert rows(found) == [
        "Town: Brno; Visitors: 1 200; Note: quiet",
        "Town: Praha; Visitors: 9500; Note: loud, but fine",
    ]
    assert passages(found)[0].startswith("Town  Visitors  Note")


def test_long_csv_keeps_its_names_and_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text("id,name,amount\n" + "".join(f"{n},item {n},{n}.50\n" for n in range(MAX_ROWS + 1000)))
    found = events(path, "csv")
    texts = [piece.text for piece in found if isinstance(piece, Piece) and piece.kind is PieceKind.TABLE_ROW]
    assert "id: 15000; name: item 15000; amount: 15000.50" in texts
    assert len(texts) <= MAX_ROWS
    assert any(isinstance(event, Warned) and str(MAX_ROWS) in event.message for event in found)
    assert sum(isinstance(event, Progress) for event in found) > 20


def test_huge_files_are_cut_with_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "huge.txt"
    path.write_bytes("ž".encode() * (MAX_BYTES // 2) + b"x")
    warned = [event.message for event in events(path, "txt") if isinstance(event, Warned)]
    assert warned == ["only the first 20 MB of the file were read"]


def test_bytes_that_are_no_text_and_files_that_are_gone(tmp_path: Path) -> None:
    with pytest.raises(ReadFailed, match="other bytes"):
        read(tmp_path, bytes(range(256)) + b"\0" * 5000, "txt")
    with pytest.raises(ReadFailed, match="cannot be read"):
        events(tmp_path / "missing.txt", "txt")


@pytest.mark.parametrize("media_type", sorted(MEDIA_TYPES))
def test_empty_files_give_nothing(tmp_path: Path, media_type: str) -> None:
    assert read(tmp_path, "", media_type) == []
    assert read(tmp_path, " \n\n ", media_type) == []


def test_reading_twice_gives_the_same_pieces(tmp_path: Path) -> None:
    content = f"# A\n\n{SENTENCE * 20}\n\n# B\n\n{SENTENCE * 20}"
    first = read(tmp_path, content, "markdown")
    assert first == read(tmp_path, content, "markdown")
    assert len({piece.id for piece in first}) == len(first)
