"""Parts of the browser interface by themselves: the index that is searched while it is written, and what is kept."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from haystack_agent.encoders.bundle import Encoders
from haystack_agent.encoders.profile import Profile
from haystack_agent.errors import IndexBusy, IndexMismatch, IndexNotFound, UsageError
from haystack_agent.index_files import IndexCard, IndexFiles, write_card
from haystack_agent.index_location import IndexLocation
from haystack_agent.records import Modality
from haystack_agent.store.opening import open_store
from ingest.live_index import LiveIndex
from ingest.pipeline import IndexOptions
from ui.web.ask.conversation_export import as_markdown
from ui.web.door.visitors import Visitor
from ui.web.state.catalogue import Catalogue
from ui.web.state.conversation_store import ConversationStore, KeptTurn, NotKept, StoredConversation
from ui.web.state.filter_values import FilterValues, values_of


def load(profile: Profile) -> Encoders:
    return profile.load()


def _noted(event: threading.Event) -> list[str]:
    event.set()
    return ["a question"]


def write_notes(folder: Path, names: range) -> None:
    folder.mkdir(exist_ok=True)
    for number in names:
        text = f"# Note {number}\n\nThe password of cupboard {number} is walrus{number}.\n"
        (folder / f"note {number}.md").write_text(text, "utf-8")


def test_an_index_is_searched_while_it_is_written(tmp_path: Path) -> None:
    write_notes(tmp_path / "notes", range(4))
    location = IndexLocation(tmp_path / "index")
    live = LiveIndex.open(location, load, create=True)
    live.update([tmp_path / "notes"], IndexOptions(workers=1))
    assert "walrus2" in live.engine.ask("What is the password of cupboard 2?").text
    write_notes(tmp_path / "notes", range(4, 60))
    updating = threading.Thread(target=live.update, args=([tmp_path / "notes"], IndexOptions(workers=1)))
    updating.start()
    searched = 0
    while updating.is_alive():
        assert live.engine.search("password of cupboard 2", top_k=3)[0].paths[0].endswith("note 2.md")
        searched += 1
    updating.join()
    assert searched > 3
    assert "walrus57" in live.engine.ask("What is the password of cupboard 57?").text
    live.close()
    open_store(location, live.profile.schema, create=False).close()


def test_who_comes_second_is_turned_away_and_does_no_harm(tmp_path: Path) -> None:
    write_notes(tmp_path / "notes", range(2))
    location = IndexLocation(tmp_path / "index")
    live = LiveIndex.open(location, load, create=True)
    live.update([tmp_path / "notes"], IndexOptions(workers=1))
    with pytest.raises(IndexBusy):
        open_store(location, live.profile.schema, create=False)
    write_notes(tmp_path / "notes", range(2, 6))
    live.update([], IndexOptions(workers=1))
    assert live.engine.search("cupboard 5")
    live.close()


def test_an_index_of_an_older_version_is_updated_before_it_is_searched(tmp_path: Path) -> None:
    write_notes(tmp_path / "notes", range(2))
    location = IndexLocation(tmp_path / "index")
    with pytest.raises(IndexNotFound):
        LiveIndex.open(location, load)
    live = LiveIndex.open(location, load, create=True)
    live.update([tmp_path / "notes"], IndexOptions(workers=1))
    live.close()
    write_card(IndexFiles(location.path), IndexCard("offline", "older"))
    live = LiveIndex.open(location, load)
    with pytest.raises(IndexMismatch, match="update it"):
        _ = live.engine
    live.update([], IndexOptions(workers=1))
    assert live.engine.search("cupboard")
    live.close()


def test_a_catalogue_knows_files_by_id_while_they_are_unchanged(tmp_path: Path) -> None:
    write_notes(tmp_path / "notes", range(2))
    live = LiveIndex.open(IndexLocation(tmp_path / "index"), load, create=True)
    live.update([tmp_path / "notes"], IndexOptions(workers=1))
    found = threading.Event()
    catalogue = Catalogue(live, lambda entries: _noted(found) if entries else [])
    assert found.wait(20)
    first = catalogue.entries()[0]
    assert first.modality is Modality.DOCUMENT and first.media_type == "markdown"
    path, media_type = catalogue.file(first.asset_id)
    assert path.read_text("utf-8").startswith("# Note") and media_type == "markdown"
    path.write_text("something else", "utf-8")
    with pytest.raises(UsageError, match="changed, moved or removed"):
        catalogue.file(first.asset_id)
    with pytest.raises(UsageError, match="not in the index"):
        catalogue.file("0" * 32)
    catalogue.close()
    live.close()


ME, OTHER = Visitor("a" * 32, local=True), Visitor("b" * 32, local=True)


def test_conversations_are_kept_for_each_visitor(tmp_path: Path) -> None:
    store = ConversationStore(tmp_path)
    identity = store.new_id()
    store.add(ME, identity, "default", KeptTurn(question="Where?  " + "x" * 200, asked=0.0, mode="extractive"))
    store.add(ME, identity, "default", KeptTurn(question="And when?", asked=1.0, mode="extractive"))
    assert [turn.question for turn in store.get(ME, identity).turns][1] == "And when?"
    assert len(store.listed(ME)[0].title) == 80
    assert store.listed(OTHER) == []
    for other in (OTHER, ME):
        with pytest.raises(UsageError):
            store.get(other, "../../" + identity if other is ME else identity)
    store.rename(ME, identity, "Better")
    assert store.listed(ME)[0].title == "Better"
    store.delete(OTHER, identity)
    assert store.listed(ME)
    store.delete(ME, identity)
    assert store.listed(ME) == []


def test_turns_of_two_tabs_are_all_kept_and_each_is_finished_in_its_place(tmp_path: Path) -> None:
    store = ConversationStore(tmp_path)
    identity = store.new_id()

    def ask(tab: str) -> None:
        for number in range(20):
            turn = KeptTurn(id=f"{tab}{number}", question=tab, asked=0.0, mode="extractive")
            store.add(ME, identity, "default", turn)
            store.finish(ME, identity, turn.model_copy(update={"answer": {"text": turn.id}}))

    tabs = [threading.Thread(target=ask, args=(tab,)) for tab in "ab"]
    for one in tabs:
        one.start()
    for one in tabs:
        one.join()
    turns = store.get(ME, identity).turns
    assert len(turns) == 40 and all(turn.answer == {"text": turn.id} for turn in turns)
    store.delete(ME, identity)
    store.finish(ME, identity, turns[0])
    assert store.listed(ME) == [], "what was removed while it was answered does not come back"


def test_conversations_of_older_versions_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "web" / "conversations" / ME.id
    folder.mkdir(parents=True)
    turn = '{"question": "Where?", "asked": 1.0, "mode": "extractive", "answer": {"text": "There.", "citations": []}}'
    old = f'{{"id": "{"1" * 32}", "title": "Where?", "index": "i", "created": 1.0, "updated": 1.0, "turns": [{turn}]}}'
    (folder / f"{'1' * 32}.json").write_text(old, "ascii")
    store = ConversationStore(tmp_path)
    assert store.get(ME, "1" * 32).turns[0].answer["text"] == "There."
    store.add(ME, "1" * 32, "i", KeptTurn(id="new", question="And when?", asked=2.0, mode="extractive"))
    assert [one.question for one in store.get(ME, "1" * 32).turns] == ["Where?", "And when?"]
    assert "stopped before this was answered" in as_markdown(store.get(ME, "1" * 32), with_links=False)


def test_what_cannot_be_written_is_told_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    store = ConversationStore(tmp_path)
    (tmp_path / "web").write_text("a file where a folder should be", "utf-8")
    with pytest.raises(NotKept, match="cannot be kept in"):
        store.add(ME, "1" * 32, "i", KeptTurn(question="Where?", asked=0.0, mode="extractive"))


def test_an_exported_conversation_is_text_and_our_own_links(tmp_path: Path) -> None:
    store = ConversationStore(tmp_path)
    identity = store.new_id()
    card = {"n": 1, "name": "a](evil)b.pdf", "folder": "/home/me/my files"}
    citation = {"n": 1, "quote": "![x](http://evil)", "place": "page 2", "page": 2, "start": None}
    answer = {"text": "<b>Yes</b> [1]", "citations": [citation], "notes": []}
    store.add(ME, identity, "i", KeptTurn(question="# Who?", asked=0.0, mode="direct", answer=answer, cards=[card]))
    text = as_markdown(store.get(ME, identity), with_links=True)
    assert "\\<b\\>Yes\\</b\\>" in text
    assert "[a\\]\\(evil\\)b.pdf, page 2](<file:///home/me/my%20files/a%5D" in text
    assert "b.pdf#page=2>)" in text
    assert "![x]" not in text and "](http" not in text
    assert "file:" not in as_markdown(store.get(ME, identity), with_links=False)


BREAKING = (
    "<b>x</b> <!-- ![x](http://evil/a.png) [a](javascript:b) <http://evil> https://evil/x www.evil.com",
    "`code` ```\n```\nfence ~~~ $x$ $$y$$",
    "one\n===\ntwo\n---\n# three\n1. four\n- five\n> six\n    seven\n\teight\n\n| a | b |\n|---|---|\n| c | d |",
    "&lt;i&gt; \\[x] *a* __b__ [^1] [r]\n\n[r]: http://evil\n12345. x",
    "a\u202eb\u2028# c\r# d\x0b# e",
)


@pytest.mark.parametrize("words", BREAKING)
@pytest.mark.parametrize("carrier", ["title", "question", "answer", "note", "name", "quote", "place"])
def test_nothing_of_a_conversation_is_markup_where_it_is_exported(carrier: str, words: str) -> None:
    told = dict.fromkeys(("title", "question", "answer", "note", "name", "quote", "place"), "plain") | {carrier: words}
    card = {"n": 1, "name": told["name"], "folder": "/home/me"}
    citation = {"n": 1, "quote": told["quote"], "place": told["place"], "page": 2, "start": None}
    answer = {"text": told["answer"], "citations": [citation], "notes": [told["note"]]}
    turn = KeptTurn(question=told["question"], asked=0.0, mode="direct", answer=answer, cards=[card])
    stored = StoredConversation(id="a", title=told["title"], index="i", created=0.0, updated=0.0, turns=[turn])
    text = as_markdown(stored, with_links=True)
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    inline = [child for token in tokens for child in token.children or ()]
    assert [token.type for token in tokens if token.type.endswith("_open") and token.level == 0] == [
        "heading_open", "heading_open", *["paragraph_open"] * (3 if carrier == "answer" and "\n\n" in words else 2),
        "blockquote_open", "ordered_list_open",
    ]  # fmt: skip
    assert [child.attrs["href"] for child in inline if child.type == "link_open"] == [
        str(child.attrs["href"]) for child in inline if str(child.attrs.get("href", "")).startswith("file:///home/me/")
    ]
    kinds = {child.type for child in inline}
    assert kinds <= {"text", "text_special", "softbreak", "link_open", "link_close"}, kinds
    words_alone = re.sub(r"\(<file:///home/me/[^<> \n]*>\)", "", text)
    assert not re.search(r"\w://|www\.evil", words_alone) and "\u202e" not in text
    shown = " ".join(
        " ".join("".join(child.content or " " for child in token.children or ()) for token in tokens).split()
    )
    assert all(word in shown for word in re.findall(r"\w+", words.replace("\u202e", "").replace("evil", "")))


def test_filters_go_to_the_page_and_back() -> None:
    values = FilterValues(modalities=[Modality.IMAGE], folders=["/a"], types=["jpg"], after="2025", before="2025-07")
    told = values_of(values.filters())
    assert told == {
        "modalities": ["image"],
        "folders": ["/a"],
        "types": ["jpeg"],
        "languages": [],
        "after": "2025-01-01",
        "before": "2025-07-31",
    }
    assert FilterValues.model_validate(told).filters() == values.filters()
    with pytest.raises(UsageError, match="no date"):
        FilterValues(after="never").filters()
