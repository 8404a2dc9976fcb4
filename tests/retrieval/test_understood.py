"""What a question's own words restrict: times of photos and clips, parts, and the user's own choice above all."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from datetime import date, datetime
from pathlib import Path

import pytest
from langchain_core.language_models import ModelProfile
from langchain_openai import ChatOpenAI
from PIL import Image
from pydantic import SecretStr

from haystack_agent.answering.conversation import Conversation
from haystack_agent.answering.effects import Steps, carried_out, carried_out_on_loop
from haystack_agent.answering.messages import Budget, budget_for
from haystack_agent.answering.model.choice import ModelChoice, open_model
from haystack_agent.asking import Request
from haystack_agent.engine import Engine
from haystack_agent.index_location import IndexLocation
from haystack_agent.records import Answer, Filters, Modality
from haystack_agent.retrieval.period import Period, period_of
from haystack_agent.retrieval.understood import Understood, merged, narrowed_to
from ingest.indexing import index
from ingest.pipeline import IndexOptions
from tests.commands.test_cli import Shell, clean
from tests.support.openai_server import Call, Fail, Say, serving

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("question", "first", "last"),
    [
        ("photos from Lisbon last summer", "2026-06-01", "2026-08-31"),
        ("last winter", "2025-12-01", "2026-02-28"),
        ("this autumn's pictures", "2026-09-01", "2026-11-30"),
        ("winter 2023", "2023-12-01", "2024-02-29"),
        ("videos since May 2024", "2024-05-01", None),
        ("clips before 2020", None, "2019-12-31"),
        ("clips after 2020", "2021-01-01", None),
        ("photos until June 2025", None, "2025-06-30"),
        ("fotky z prosince 2023", "2023-12-01", "2023-12-31"),
        ("写真 2024年5月", "2024-05-01", "2024-05-31"),
        ("Fotos vom 24. Dezember 2025", "2025-12-24", "2025-12-24"),
        ("taken yesterday", "2026-11-22", "2026-11-22"),
        ("last week", "2026-11-16", "2026-11-22"),
        ("last month", "2026-10-01", "2026-10-31"),
        ("past 10 days", "2026-11-13", "2026-11-23"),
        ("photos since the year 2020", "2020-01-01", None),
        ("photos in 2020 with a dog", "2020-01-01", "2020-12-31"),
        ("fotky z roku 2024", "2024-01-01", "2024-12-31"),
    ],
)
def test_times_in_words(question: str, first: str | None, last: str | None) -> None:
    after, before = (date.fromisoformat(day) if day else None for day in (first, last))
    assert period_of(question, TODAY) == Period(after, before)


@pytest.mark.parametrize(
    "question",
    [
        "photos not from 2024",
        "prior to 2020",
        "earlier than 2020",
        "from 2020 onwards",
        "until the end of 2023",
        "photos avant 2020",
        "What does the picture in the 2021 annual report show?",
        "the red car",
        "between 2019 and 2020",
        "1,987.50 CZK",
        "in 2050",
        "room 2019a",
        "3.4.2021",
        "31 February 2021a",
    ],
)
def test_what_names_no_single_time(question: str) -> None:
    assert period_of(question, TODAY) is None


def test_no_count_of_years_is_too_large() -> None:
    assert period_of("last 999 years", TODAY) is not None


def test_what_the_user_chose_stands() -> None:
    said = narrowed_to(Period(date(2024, 1, 1), date(2024, 12, 31)), frozenset({Modality.IMAGE}))
    chosen = Filters(modalities=frozenset({Modality.VIDEO}), after=datetime(2020, 1, 1).astimezone())
    assert merged(chosen, said) == chosen
    assert merged(Filters(), said) == said


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two photos with the same caption, three years apart, and a note."""
    base = tmp_path_factory.mktemp("understood")
    (base / "files").mkdir()
    for year in (2021, 2024):
        exif = Image.Exif()
        exif[0x010E] = "Ferry in Lisbon"
        exif.get_ifd(0x8769)[0x9003] = f"{year}:07:14 12:00:00"
        Image.new("RGB", (320, 240), (30, 90, year - 1900)).save(base / f"files/{year}.jpg", exif=exif)
    (base / "files/note.txt").write_text("The ferry timetable of 2021 is in the drawer.\n", "utf-8")
    index(IndexLocation(base / "data/indexes/default"), [base / "files"], IndexOptions(workers=1))
    return base


def names(done: bytes) -> list[str]:
    return [Path(item["path"]).name for item in json.loads(done)["evidence"]]


def test_photos_of_a_time_are_filtered_told_and_the_filter_can_be_refused(base: Path) -> None:
    shell = Shell(base)
    done = clean(shell.run("search", "--json", "photos of the ferry in Lisbon from summer 2021"), 0)
    assert names(done.stdout) == ["2021.jpg"]
    assert "Only pictures from 2021-06-01 to 2021-08-31, as the question says" in done.stderr.decode()
    everything = clean(shell.run("search", "--json", "--as-asked", "photos of the ferry from summer 2021"), 0)
    assert {"2021.jpg", "2024.jpg"} <= set(names(everything.stdout)) and not everything.stderr
    chosen = clean(shell.run("search", "--json", "--after", "2024", "photos of the ferry from summer 2021"), 0)
    assert names(chosen.stdout) == ["2024.jpg"]


def test_a_time_that_leaves_nothing_or_is_of_a_document_restricts_nothing(base: Path) -> None:
    shell = Shell(base)
    for question in ("photos of the ferry from 1999", "Where is the ferry timetable of 2021?"):
        done = clean(shell.run("search", "--json", question), 0)
        assert len(names(done.stdout)) == 3 and not done.stderr


def conversation(url: str) -> Conversation:
    model = open_model(ModelChoice("m", url, SecretStr("k"), 10))
    return Conversation(model, "m", lambda: TODAY)


def understood_of(talk: Conversation, question: str) -> Understood:
    return next(carried_out(_telling(talk, question)))


async def understood_on_loop(talk: Conversation, question: str) -> Understood:
    return await anext(carried_out_on_loop(_telling(talk, question)))


def _telling(talk: Conversation, question: str) -> Steps[Understood]:
    yield (yield from talk.understood(question))


def test_a_model_reads_parts_and_filters_in_any_language() -> None:
    read = {
        "question": "Fotky trajektu z loňského léta a kolik stál lístek?",
        "parts": ["Kde jsou fotky trajektu?", "Kolik stál lístek?"],
        "media": ["image"],
        "after": "2025-06-01",
        "before": "2025-08-31",
    }
    with serving(Say((f"```json\n{json.dumps(read)}\n```",))) as server:
        understood = understood_of(conversation(server.url), "Fotky trajektu z loňského léta a kolik stál?")
        later = asyncio.run(understood_on_loop(conversation(server.url), "x"))
    assert later == understood
    assert understood.searches == ("Kde jsou fotky trajektu?", "Kolik stál lístek?")
    assert merged(Filters(), understood.filters).modalities == {Modality.IMAGE}
    assert understood.filters.after and understood.filters.after.date() == date(2025, 6, 1)
    assert "Today is 2026-11-23" in str(server.received[0])


@pytest.mark.parametrize(
    "said",
    [
        "no idea",
        "{",
        '{"question": 7}',
        '{"media": ["smell"]}',
        '{"question": "' + "x" * 600 + '"}',
        '{"media": ["document"], "after": "2024-01-01"}',
        '{"parts": ["one"]}',
    ],
)
def test_what_cannot_be_used_changes_nothing(said: str) -> None:
    with serving(Say((said,))) as server:
        talk = conversation(server.url)
        talk.keep("What is it?", Answer("What is it?", "A barge [1].", abstained=False))
        assert understood_of(talk, "Where?") == Understood("Where?")


def test_parts_are_searched_for_one_by_one_and_answered_at_once(base: Path) -> None:
    read = {"question": "Where is the timetable, and a photo?", "parts": ["ferry timetable drawer", "Ferry in Lisbon"]}
    script = (Say((json.dumps(read),)), Say(("In the drawer [1].",)))
    with serving(*script) as server:
        line = b"Where is the timetable, and a photo?\n"
        done = clean(Shell(base).run("chat", "--top-k", "2", "--model", "m", "--model-url", server.url, stdin=line), 0)
    assert "In parts: ferry timetable drawer | Ferry in Lisbon" in done.stderr.decode()
    assert "name: note.txt" in server.texts() and "jpg" in server.texts()
    assert server.texts().endswith("The question: Where is the timetable, and a photo?")


def test_filters_that_a_model_understood_narrow_the_search(base: Path) -> None:
    read = {"question": "ferry", "media": ["image"], "after": "2024-01-01", "before": None}
    with serving(Say((json.dumps(read),)), Say(("Here [1].",))) as server:
        done = clean(Shell(base).run("chat", "--model", "m", "--model-url", server.url, stdin=b"ferry, photos\n"), 0)
    assert "Only pictures from 2024-01-01, as the question says" in done.stderr.decode()
    assert "2024.jpg" in server.texts() and "2021.jpg" not in server.texts()


def test_the_budget_follows_what_is_known_of_the_model() -> None:
    def of(profile: ModelProfile) -> Budget:
        return budget_for(ChatOpenAI(model="m", api_key=SecretStr("k"), profile=profile))

    assert of({}) == of({"max_input_tokens": 200_000}) == Budget()
    small, tiny = of({"max_input_tokens": 8192}), of({"max_input_tokens": 1024})
    assert small.tokens <= 4096 < Budget().tokens and small.sides
    assert tiny.places == 1
    assert not of({"image_inputs": False}).sides
    model = open_model(ModelChoice("m", "http://127.0.0.1:1/v1", context=8192))
    assert budget_for(model) == small


def test_evidence_that_is_too_long_for_an_agent_is_given_as_text(base: Path) -> None:
    script = (Call("search", {"query": "ferry"}), Fail(400, "context_length_exceeded"), Say(("Here [1].",)))
    with serving(*script) as server:
        shell = Shell(base)
        done = clean(shell.run("ask", "--mode", "agent", "--model", "m", "--model-url", server.url, "ferry"), 0)
    assert "too long for the model" in done.stdout.decode()
    assert server.pictures(1) and not server.pictures(2)


def test_understanding_alone_needs_no_model(base: Path) -> None:
    with Engine.open(IndexLocation(base / "data/indexes/default")) as engine:
        found = engine.find(Request("photos from Lisbon last summer", today=TODAY))
    assert dataclasses.asdict(found.asked.understood.filters)["modalities"] == {Modality.IMAGE}
    assert found.filters == Filters() and found.evidence  # nothing is of that summer
