"""The road of a question, traced: the modules that it passes from its request to the store and back."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from haystack_agent.asking import Asked, Found, Request
from haystack_agent.engine import Engine
from haystack_agent.retrieval.query import Query
from haystack_agent.store.edge.store import EdgeStore
from tests.retrieval.test_search import encoder, engine

__all__ = ["encoder", "engine"]
ROOT = Path(__file__).parents[2] / "haystack_agent"
CARRIERS = (Request, Asked, Query, Found)
VALUES = {"asking", "retrieval.query"}
"""Modules of what is carried, which is not a place on the road."""
ROAD = [
    "engine",
    "retrieval.search",
    "retrieval.channels.bm25",
    "retrieval.channels.text",
    "store.edge.store",
    "retrieval.stages.candidates",
    "retrieval.stages.prefer",
    "retrieval.stages.spread",
]
"""In the order in which they are entered first."""


@contextmanager
def traced() -> Iterator[list[str]]:
    """The modules whose functions are given the question in one of its forms, or search the store for it."""
    passed: list[str] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        path = Path(frame.f_code.co_filename)
        if event != "call" or not path.is_relative_to(ROOT):
            return
        given = [frame.f_locals.get(name) for name in frame.f_code.co_varnames[: frame.f_code.co_argcount]]
        searches = frame.f_code.co_name in {"search_sparse", "search_dense"}
        if searches or any(isinstance(one, CARRIERS) for one in given):
            passed.append(".".join(path.relative_to(ROOT).with_suffix("").parts))

    sys.setprofile(note)
    try:
        yield passed
    finally:
        sys.setprofile(None)


def test_a_question_passes_few_modules_each_once_there_and_back(engine: Engine) -> None:
    with traced() as passed:
        found = engine.find(Request("What is the total due on the plumber's invoice?"))
    assert found.evidence and isinstance(engine._store, EdgeStore)
    modules = [name for name in dict.fromkeys(passed) if name not in VALUES]
    assert modules == ROAD


def test_the_answer_is_read_from_what_was_found_without_another_search(engine: Engine) -> None:
    found = engine.find(Request("What is the total due on the plumber's invoice?"))
    with traced() as passed:
        assert "1,249.50" in engine.read(found).text
    assert set(passed) - VALUES == {"engine", "answering.extractive.reader"}
