"""How fast, as a ratio to the bare calls that cannot be spared: ``python -m eval.speed FOLDER``.

Indexing is compared with the same OCR and encoder calls on the same inputs with nothing around them, in as many
processes as the index uses; a warm search with the call that encodes its question. Each ratio is of medians of runs
made in turn on the same machine.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from eval.sample.folder import make_sample
from eval.speed.bare import bare_seconds
from haystack_agent.encoders.profile import OFFLINE
from haystack_agent.engine import Engine
from haystack_agent.index_location import IndexLocation
from haystack_agent.lexicon.lookup import Lexicon
from haystack_agent.retrieval.plan import make_plan
from ingest.indexing import index
from ingest.pipeline import IndexOptions

QUESTIONS = (
    "What was the total on the plumber's invoice?",
    "Where is the clip in which the pancake is flipped?",
    "Kolik stojí roční členství v klubu?",
    "How many ducks were counted in 2022?",
)
_ROUNDS = 50


def seconds(action: Callable[[], object]) -> float:
    """Wall-clock time of one call."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def search_ratio(location: IndexLocation) -> tuple[float, float]:
    """Median seconds of a warm search and of the bare encoding of its question."""
    encoder = OFFLINE.load().text
    with Engine.open(location) as engine, Lexicon() as lexicon:
        texts = [make_plan(question, lexicon).dense_text for question in QUESTIONS]
        searches: list[float] = []
        bare: list[float] = []
        for _ in range(_ROUNDS):
            for question, text in zip(QUESTIONS, texts, strict=True):
                bare.append(seconds(lambda text=text: encoder.encode_query(text)))  # type: ignore[misc]
                searches.append(seconds(lambda question=question: engine.search(question)))  # type: ignore[misc]
    return statistics.median(searches), statistics.median(bare)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="by default the sample, made anew")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch) / "sample"
        if options.folder is None:
            make_sample(folder)
        location = IndexLocation(Path(scratch) / "index")
        choice = IndexOptions(workers=options.workers)
        indexing = seconds(lambda: index(location, [folder.resolve()], choice))
        again = seconds(lambda: index(location, [folder.resolve()], choice))
        bare = bare_seconds(folder, options.workers)
        search, encode = search_ratio(location)
    print(f"index     {indexing:8.1f} s   bare OCR + encoder {bare:8.1f} s   ratio {indexing / bare:.2f}")  # noqa: T201
    print(f"again     {again:8.2f} s")  # noqa: T201
    print(f"search    {search * 1000:8.2f} ms  bare query encoder {encode * 1000:8.2f} ms  ratio {search / encode:.2f}")  # noqa: T201
