"""What is answered to requests that are no questions: what was found, counted truly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from importlib.resources import files

import pytest

from eval.sample import folder as sample
from haystack_agent.answering.extractive.listing import alike, listed, listing_of, none_of
from haystack_agent.asking import Request
from haystack_agent.engine import Engine
from haystack_agent.index_location import IndexLocation
from haystack_agent.lexicon.lookup import Lexicon
from haystack_agent.records import Evidence, Filters, Modality
from haystack_agent.retrieval.plan import make_plan
from ingest.indexing import index
from ingest.pipeline import IndexOptions
from tests.support.builders import passage, picture
from tests.support.paths import SHARED

TODAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def lexicon() -> Iterator[Lexicon]:
    lexicon = Lexicon()
    yield lexicon
    lexicon.close()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("listing")
    (folder / "files").mkdir()
    sample.write_boat(folder / "files" / "boat.jpg")  # July 2025
    sample.write_mountain(folder / "files" / "mountain.jpg")
    for number in range(6):
        about = "A taxi to the station" if number < 2 else "Bread and milk"
        (folder / "files" / f"note {number}.md").write_text(f"# Note {number}\n\n{about} was paid.\n", "utf-8")
    index(IndexLocation(folder / "index"), [folder / "files"], IndexOptions(workers=1))
    with Engine.open(IndexLocation(folder / "index")) as engine:
        yield engine


def asked(engine: Engine, question: str) -> tuple[str, bool, int]:
    answer = engine.read(engine.find(Request(question, today=TODAY)))
    assert answer.listed == (not answer.abstained and all(not one.quote for one in answer.citations))
    return answer.text, answer.abstained, len(answer.citations)


def test_what_is_asked_is_no_request(lexicon: Lexicon) -> None:
    """Every question of the measured sets, so that none of these figures can move."""
    lines = files("eval").joinpath("unanswerable.jsonl").read_text("utf-8").splitlines()
    for question in [json.loads(line)["question"] for line in lines]:
        assert listing_of(make_plan(question, lexicon), TODAY) is None, question


@pytest.mark.parametrize(
    "question",
    [
        "When was the boat painted",
        "is there a taxi?",
        "Wie lange ist die Kündigungsfrist",
        "座席利用率は何パーセントでしたか",
        "What is in the picture",
        "The committee met on Monday to talk about bridges and ferries",
        "¿Taxi?",
        "   ",
    ],
)
def test_questions_and_sentences_are_no_requests(lexicon: Lexicon, question: str) -> None:
    assert listing_of(make_plan(question, lexicon), TODAY) is None


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("photos from 2026", ()),
        ("Photos", ()),
        ("videos since May 2024", ()),
        ("Photos from Lisbon", ("Lisbon",)),
        ("taxi", ("taxi",)),
        ("show me all the photos of the red boat in Lisbon harbour", ("red", "boat", "Lisbon", "harbour")),
    ],
)
def test_requests_and_the_words_they_have_beside_medium_and_time(
    lexicon: Lexicon, question: str, words: tuple[str, ...]
) -> None:
    request = listing_of(make_plan(question, lexicon), TODAY)
    assert request is not None and request.words == words


def test_media_of_a_time_are_counted(engine: Engine) -> None:
    assert asked(engine, "photos from July 2025") == ("1 picture is from 2025-07.", False, 1)
    assert asked(engine, "photos") == ("2 pictures are in the index.", False, 2)
    assert asked(engine, "Photos from 1990") == ("No pictures from 1990 were found.", True, 0)
    assert engine.ask("photos", top_k=1, filters=Filters(modalities=frozenset({Modality.IMAGE}))).text == (
        "2 pictures are in the index; 1 is shown."
    )


def test_places_that_name_the_words_are_counted_and_cited(engine: Engine) -> None:
    answer = engine.ask("bread milk")
    if not answer.listed:  # a sentence was sure enough: then it is quoted, as before
        assert "Bread and milk" in answer.text
    text, abstained, cited = asked(engine, "Photos from Lisbon")
    assert (text, abstained, cited) == ("1 of the 2 pictures found names “Lisbon”.", False, 1)
    assert asked(engine, "zeppelin")[1:] == (True, 0)


def evidence(*texts: str) -> list[Evidence]:
    return [Evidence(passage(text, asset=str(place)), (f"/a/{place}.pdf",), 1.0) for place, text in enumerate(texts)]


def test_only_places_with_all_the_words_are_counted(lexicon: Lexicon) -> None:
    request = listing_of(make_plan("taxi receipts", lexicon), TODAY)
    assert request is not None
    found = evidence("Receipt of a taxi", "taxi", "receipts", "taxidermy receipts", "A taxi, with receipt")
    answer = listed(request, found, Filters(), None)
    assert answer is not None and answer.listed and not answer.abstained
    assert answer.text == "2 of the 5 places found name “taxi” and “receipts”."
    assert [one.evidence for one in answer.citations] == [found[0], found[4]]
    assert listed(request, found[1:4], Filters(), None) is None
    assert listed(request, [], Filters(), None) is None
    one = listed(request, found[:1], Filters(), None)
    assert one is not None and one.text == "The one place found names “taxi” and “receipts”."


def test_what_is_like_a_picture_is_said_to_be_so(lexicon: Lexicon) -> None:
    pictures = [Evidence(picture("", str(n)), (f"/a/{n}.jpg",), 1.0) for n in range(3)]
    assert alike("", pictures).text == "The 3 pictures most like the picture."
    assert alike("red", [*pictures, *evidence("x")]).text == "The 4 places most like the picture and the words."
    request = listing_of(make_plan("photos from 1990", lexicon), TODAY)
    assert request is not None and none_of(request, pictures).abstained


def test_questions_over_real_files_are_no_requests(lexicon: Lexicon) -> None:
    path = SHARED / "real_media" / "questions.jsonl"
    if not path.is_file():
        pytest.skip("the real files are not here")
    for line in path.read_text("utf-8").splitlines():
        assert listing_of(make_plan(json.loads(line)["question"], lexicon), TODAY) is None, line
