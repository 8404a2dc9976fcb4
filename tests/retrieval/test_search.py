"""Plans, fusion, search and answers over a real embedded store with the real sentence encoder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from haystack_agent.asking import Found, Quoted, Request, stream
from haystack_agent.encoders.bundle import Encoders
from haystack_agent.encoders.pieces import NewPiece, PieceEncoder
from haystack_agent.encoders.profile import OFFLINE
from haystack_agent.encoders.towers.minilm import MiniLM
from haystack_agent.engine import Engine
from haystack_agent.langchain_retriever import EvidenceRetriever
from haystack_agent.lexicon.lookup import Lexicon
from haystack_agent.records import Answer, Evidence, Filters, Modality, Piece, PieceKind
from haystack_agent.retrieval.channels.bm25 import Bm25Channel
from haystack_agent.retrieval.channels.cohort import Cohort, likeness
from haystack_agent.retrieval.channels.text import TextChannel
from haystack_agent.retrieval.plan import Plan, make_plan
from haystack_agent.retrieval.query import Query
from haystack_agent.retrieval.search import ranked
from haystack_agent.retrieval.stages.candidates import Candidate, Ranking
from haystack_agent.retrieval.stages.table import stages_of
from haystack_agent.retrieval.weights import Weights
from haystack_agent.store.edge.store import EdgeStore
from haystack_agent.store.hit import Hit
from haystack_agent.store.schema import to_payload
from haystack_agent.store.values import IndexedPiece, Sample, VectorName
from haystack_agent.vectors import FloatArray
from tests.support.builders import MODIFIED, passage, picture, segment

FILES: dict[str, list[Piece]] = {
    "/home/me/bills/plumber.pdf": [
        passage("ACME Plumbing Ltd.\nInvoice no. 2217\nReplaced the kitchen tap", "plumber", 1, 0, title="Invoice"),
        passage("Item: Labour; Hours: 2; Price: 90.00", "plumber", 1, 1, PieceKind.TABLE_ROW, "Invoice"),
        passage("Total due: 1,249.50 EUR\nPayable by 22 November 2026", "plumber", 1, 2, title="Invoice"),
        passage("General terms and conditions apply to all of our work.", "plumber", 2, 3, title="Invoice"),
    ],
    "/home/me/trips/zoo.jpg": [picture("Feeding of the ducks\ndaily at 10:30", "zoo")],
    "/home/me/trips/harbour.mp4": [
        segment("Departure of the ferry to Bergen", "ferry", 0, 10, 0),
        segment("Gate B12 opens", "ferry", 10, 20, 1),
    ],
    "/home/me/letters/spolek.pdf": [
        passage("Členské příspěvky spolku činí 350 Kč ročně.", "spolek", 1, 0),
        passage("Schůze se koná v úterý.", "spolek", 1, 1),
    ],
}


@pytest.fixture(scope="module")
def encoder() -> MiniLM:
    return MiniLM()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, encoder: MiniLM) -> Iterator[Engine]:
    store = EdgeStore.open(tmp_path_factory.mktemp("index") / "edge", OFFLINE.schema, create=True)
    pieces = [NewPiece(piece, (path,), MODIFIED) for path, some in FILES.items() for piece in some]
    store.upsert(PieceEncoder(lambda: Encoders(encoder)).encode(pieces))
    store.flush()
    with Engine(store, Encoders(encoder), Lexicon()) as opened:
        yield opened


def first(engine: Engine, question: str, filters: Filters = Filters()) -> Evidence:
    return engine.search(question, top_k=5, filters=filters)[0]


@pytest.mark.parametrize(
    ("question", "path"),
    [
        ("What was the total on the plumber's invoice?", "plumber.pdf"),
        ("When are the water birds fed?", "zoo.jpg"),
        ("Kolik korun ročně stojí členství ve spolku?", "spolek.pdf"),
        ("Kde je fotka krmení kachen?", "zoo.jpg"),
        ("1 249,50", "plumber.pdf"),
        ("22.11.2026", "plumber.pdf"),
        ("gate B 12", "harbour.mp4"),
        ("Abfahrt der Fähre nach Bergen", "harbour.mp4"),
    ],
)
def test_the_right_file_comes_first(engine: Engine, question: str, path: str) -> None:
    assert Path(first(engine, question).paths[0]).name == path


def test_pieces_of_one_page_are_one_evidence(engine: Engine) -> None:
    places = [(item.piece.asset_id, item.piece.locator.page) for item in engine.search("invoice total labour") if item]
    assert places.count(("plumber", 1)) == 1
    assert first(engine, "invoice total labour").neighbours


def test_the_words_met_are_told(engine: Engine) -> None:
    words = {word for match in first(engine, "ferry to Bergen").matches for word in match.words}
    assert words == {"ferry", "bergen"}


@pytest.mark.parametrize(
    ("filters", "paths"),
    [
        (Filters(modalities=frozenset({Modality.VIDEO})), {"harbour.mp4"}),
        (Filters(folders=("/home/me/trips",)), {"harbour.mp4", "zoo.jpg"}),
        (Filters(types=frozenset({"pdf"})), {"plumber.pdf", "spolek.pdf"}),
    ],
)
def test_filters_hold_for_every_result(engine: Engine, filters: Filters, paths: set[str]) -> None:
    found = engine.search("ducks ferry total schůze", top_k=20, filters=filters)
    assert {Path(item.paths[0]).name for item in found} == paths


@pytest.mark.parametrize("question", ["", "   ", "?!", "🙂", "the of and", "\x00\x1b[31m", "x" * 20_000])
def test_odd_questions_neither_fail_nor_answer(engine: Engine, question: str) -> None:
    engine.search(question)
    assert engine.ask(question).abstained


@pytest.mark.parametrize(
    ("question", "said", "page", "start"),
    [
        ("What is the total due on the plumber's invoice?", "1,249.50", 1, None),
        ("Jaké jsou roční členské příspěvky spolku?", "350 Kč", 1, None),
        ("Which gate opens for the ferry to Bergen?", "B12", None, 14.5),
        ("What time is the feeding of the ducks?", "10:30", None, None),
    ],
)
def test_answers_quote_and_cite_the_narrowest_place(
    engine: Engine, question: str, said: str, page: int | None, start: float | None
) -> None:
    answer = engine.ask(question)
    (citation,) = answer.citations
    assert said in answer.text == citation.quote
    assert (citation.locator.page, citation.locator.start) == (page, start)
    text = " ".join(citation.evidence.piece.text.split())
    others = [" ".join(piece.text.split()) for piece in citation.evidence.neighbours]
    assert any(citation.quote in one for one in (text, *others))
    assert citation.locator.boxes


def read(engine: Engine, question: str, evidence: list[Evidence]) -> Answer:
    return engine.read(Found(engine.understand(Request(question)), Filters(), tuple(evidence)))


def test_what_is_not_there_is_not_answered(engine: Engine) -> None:
    answer = engine.ask("What is the wifi password of the mountain hut?")
    assert answer.abstained and not answer.citations


@pytest.mark.parametrize(
    "heading", ["7.12 How do I put a package on hold?", "7.12 How do I put a package on hold . . . . . . . . . 40"]
)
def test_headings_that_ask_or_point_elsewhere_are_no_answers(engine: Engine, heading: str) -> None:
    piece = passage(f"{heading}\nDeselect the package, and write hold beside it.\nAnother matter is the kernel.")
    found = [Evidence(piece, ("/faq.pdf",), 1.0, ())]
    assert "Deselect the package" in read(engine, "How do I put a package on hold?", found).text


def test_a_question_is_quoted_where_wording_is_asked_for(engine: Engine) -> None:
    found = [Evidence(picture("Have you seen our cat?\nBake sale on Sunday", "poster"), ("/poster.jpg",), 1.0, ())]
    assert "Have you seen our cat?" in read(engine, "What does the poster with the cat say?", found).text


def test_langchain_documents_keep_the_place(engine: Engine) -> None:
    (document,) = EvidenceRetriever(engine=engine, top_k=1).invoke("ferry to Bergen")
    assert document.page_content == "Departure of the ferry to Bergen"
    assert document.metadata["path"].endswith("harbour.mp4") and document.metadata["end"] == 10
    assert document.metadata["matched"][0]["vector"] in ("bm25", "text")


def test_a_plan_translates_and_sees_the_medium() -> None:
    with Lexicon() as lexicon:
        plan = make_plan("Kde je fotka kachny z roku 2022?", lexicon)
    assert plan.language == "cs" and not plan.english
    assert plan.modalities == {Modality.IMAGE}
    assert "duck" in plan.terms and "#2022" in plan.terms


def test_what_is_asked_for_has_the_focus() -> None:
    with Lexicon() as lexicon:
        for question in ("Where is the cat?", "Who is wearing a hat?", "Where does Kim live?", "war memorial photo"):
            plan = make_plan(question, lexicon)
            assert plan.english and plan.dense_text == question
            assert {"cat", "hat", "kim", "war"}.intersection(plan.words)
        assert make_plan("MIT lecture video", lexicon).english
        assert not make_plan("video mit auto", lexicon).english
        assert make_plan("What is the plumber's total?", lexicon).words == ("plumber", "total")
        assert "l" not in make_plan("Où est l'été d’Anne ?", lexicon).words
        plan = make_plan("What is the net pay on John Stiles' earnings statement?", lexicon)
    focus = {concept.word: concept.focus for concept in plan.concepts}
    assert max(focus, key=lambda word: focus[word]) == "net"
    assert focus["john"] == focus["stiles"] == 1.0


def hit(piece: Piece, score: float) -> Hit:
    return Hit(piece.id, score, to_payload(IndexedPiece(piece, (piece.asset_id,), MODIFIED)))


with Lexicon() as lexicon:
    ENGLISH = Query(make_plan("exact", lexicon), "exact", vectors={VectorName.TEXT: np.ones(2, np.float32)})
WEIGHTS = Weights()


def order(query: Query, *rankings: Ranking) -> list[Piece]:
    return [one.shown.hit.indexed.piece for one in ranked(query, rankings, WEIGHTS, stages_of(WEIGHTS))]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeStore]:
    store = EdgeStore.open(tmp_path_factory.mktemp("empty") / "edge", OFFLINE.schema, create=True)
    yield store
    store.close()


def words(store: EdgeStore, hits: list[Hit]) -> Ranking:
    return Ranking(Bm25Channel(store, WEIGHTS.bm25), hits)


def meaning(store: EdgeStore, monkeypatch: pytest.MonkeyPatch, found: dict[float, Hit]) -> Ranking:
    """Hits of the sentence encoder by how many standard deviations they stand out."""
    monkeypatch.setattr(Cohort, "z_scores", lambda *_: list(found))
    worth = likeness(WEIGHTS.chance, WEIGHTS.certain)
    return Ranking(TextChannel(store, MiniLM(), WEIGHTS.text, WEIGHTS.text_foreign, worth), list(found.values()))


def test_a_sentence_encoder_that_does_not_know_the_language_cannot_outvote_words(
    empty: EdgeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact, vague = passage("exact", "exact"), passage("vague", "vague")
    rankings = (
        words(empty, [hit(exact, 10.0), hit(vague, 6.0)]),
        meaning(empty, monkeypatch, {9.0: hit(vague, 0.9), 3.0: hit(exact, 0.3)}),
    )
    assert order(replace(ENGLISH, known=False), *rankings)[0].text == "exact"
    assert order(ENGLISH, *rankings)[0].text == "vague"


def test_a_picture_that_stands_out_is_not_drowned_by_texts_whose_cosines_are_higher(
    empty: EdgeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = {2.0 - n / 1e6: hit(passage(f"text {n}", f"t{n}"), 0.7) for n in range(20)}
    found = {6.0: hit(picture("", "photo"), 0.25), **texts}
    assert order(ENGLISH, meaning(empty, monkeypatch, found))[0].kind is PieceKind.IMAGE


def test_a_hit_is_compared_with_others_than_the_best() -> None:
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(5, 64)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    pieces = [passage(f"{n}", f"a{n}") for n in range(5)]
    aim = vectors[0]
    cosines = vectors @ aim
    hits = [hit(pieces[place], float(cosines[place])) for place in np.argsort(-cosines)]
    cohort = Cohort(Sample(tuple(piece.id for piece in pieces), vectors))
    others = cosines[1:]
    wanted = [(one.score - others.mean()) / others.std() for one in hits]
    assert cohort.z_scores(aim, hits) == pytest.approx(wanted, rel=1e-3)
    (stranger,) = cohort.z_scores(aim, [hit(passage("new", "new"), 0.5)])
    assert stranger == pytest.approx((0.5 - cosines.mean()) / cosines.std(), rel=1e-3)
    alone = Cohort(Sample((), vectors[:0])).z_scores(aim, hits)
    assert alone[0] == 1 and alone[1] < 1


def test_what_looks_more_alike_is_always_before(empty: EdgeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {-float(n): hit(passage(str(n), f"p{n}"), 0.99 - n / 1000) for n in range(9)}
    assert [piece.text for piece in order(ENGLISH, meaning(empty, monkeypatch, found))] == [str(n) for n in range(9)]


def test_one_file_does_not_fill_the_page(empty: EdgeStore) -> None:
    many = [hit(passage(f"page {page}", "many", page), 10.0 - page * 0.1) for page in range(1, 8)]
    found = order(ENGLISH, words(empty, [*many, hit(passage("other", "other"), 8.0)]))
    assert [piece.asset_id for piece in found].index("other") <= 2


def test_ties_are_ordered_the_same_way_every_time(empty: EdgeStore) -> None:
    hits = [hit(passage("same", name), 1.0) for name in ("a", "b", "c", "d")]
    orders = {tuple(piece.id for piece in order(ENGLISH, words(empty, some))) for some in (hits, hits[::-1])}
    assert len(orders) == 1


def test_a_question_is_planned_once_and_encoded_once(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[str] = []
    planned: list[str] = []
    encode, plan = MiniLM.encode_query, make_plan

    def counted(self: MiniLM, text: str) -> FloatArray:
        encoded.append(text)
        return encode(self, text)

    def made(question: str, lexicon: Lexicon) -> Plan:
        planned.append(question)
        return plan(question, lexicon)

    monkeypatch.setattr(MiniLM, "encode_query", counted)
    monkeypatch.setattr("haystack_agent.retrieval.search.make_plan", made)
    for question in ("What is the total due on the plumber's invoice?", "Kolik korun ročně stojí členství?", "photos"):
        assert list(stream(engine, Request(question), Quoted()))
        assert (len(encoded), len(planned)) == (1, 1)
        encoded.clear()
        planned.clear()


class Shortest:
    """A reranker: the shorter, the better."""

    def __call__(self, query: Query, candidates: list[Candidate]) -> list[Candidate]:
        """See `Stage`."""
        return sorted(candidates, key=lambda one: len(one.shown.hit.indexed.piece.text))


def test_a_stage_can_rerank(empty: EdgeStore) -> None:
    hits = [hit(passage("the longest of all", "a"), 9.0), hit(passage("shorter", "b"), 5.0)]
    candidates = ranked(ENGLISH, [words(empty, hits)], WEIGHTS, (Shortest(),))
    assert [one.shown.hit.indexed.piece.text for one in candidates] == ["shorter", "the longest of all"]
