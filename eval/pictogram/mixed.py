"""Whether pictures and texts drown each other: ``python -m eval.pictogram.mixed``.

A folder holds, for each of some concepts, a picture and a short text in one of many languages, and is indexed with the
profile ``pictogram``. A question is a concept's name in another language; its picture and its text both answer it. The
ranks of both in one list are compared with their ranks among their own kind alone.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np

from eval.pictogram.world.concepts import MEASURED, DrawnConcept
from eval.pictogram.world.pictures import UNSEEN, to_images
from eval.pictogram.world.world import Part, make_world
from haystack_agent.encoders.profile import profile_named
from haystack_agent.index_location import IndexLocation
from haystack_agent.lexicon.lookup import Lexicon
from haystack_agent.records import Filters, Modality
from haystack_agent.retrieval.search import Searcher
from haystack_agent.retrieval.weights import Weights
from haystack_agent.store.opening import open_store
from haystack_agent.store.protocol import Store
from haystack_agent.store.values import VectorName
from ingest.indexing import index

PROFILE = "pictogram"
_CUTS = (1, 5, 10)
_DEPTH = 10
_SIDE = 192
_WORDS = 6


@dataclass(frozen=True, slots=True)
class MixedQuestion:
    """A concept's name, and the file names of its picture and its text."""

    text: str
    picture: str
    document: str


Ranking = Callable[[MixedQuestion], Sequence[str]]
"""From a question to file names, best first."""


def make_folder(folder: Path, part: Part, count: int, seed: int = 0) -> list[MixedQuestion]:
    """Write the pictures and texts of the first `count` concepts, and make a question for each."""
    import torch

    drawn = np.random.default_rng((seed, 6))
    shown = [(int(place),) for place in drawn.permutation(len(part.concepts))[:count]]
    images = to_images(part.draw(shown, UNSEEN, torch.Generator().manual_seed(seed)))
    folder.mkdir(parents=True, exist_ok=True)
    questions = []
    for number, (group, image) in enumerate(zip(shown, images, strict=True)):
        (concept,) = part.shown(group)
        written, asked = (MEASURED[place] for place in drawn.choice(len(MEASURED), 2, replace=False))
        question = MixedQuestion(concept.names[asked], f"{number:04}.png", f"{number:04}.txt")
        image.resize((_SIDE, _SIDE)).save(folder / question.picture)
        (folder / question.document).write_text(_text(concept, written), "utf-8")
        questions.append(question)
    return questions


def _text(concept: DrawnConcept, language: str) -> str:
    return ", ".join((concept.names[language], *concept.keywords.get(language, ())[:_WORDS])) + "\n"


def rankings(searcher: Searcher, store: Store) -> dict[str, Ranking]:
    """Ways to rank: each kind alone, both by one cosine, both as a search does."""

    def search(filters: Filters = Filters()) -> Ranking:
        return lambda question: [
            PurePath(found.paths[0]).name for found in searcher.search(searcher.query(question.text), _DEPTH, filters)
        ]

    encoders = profile_named(PROFILE).load()

    def by_cosine(question: MixedQuestion) -> list[str]:
        assert encoders.sight is not None  # noqa: S101 - this profile sees
        sentence = encoders.text.encode_query(question.text)
        aim = encoders.sight.of_texts([question.text], sentence[None])[0]
        hits = store.search_dense(VectorName.UCLIP, aim, _DEPTH)
        return [PurePath(hit.indexed.paths[0]).name for hit in hits]

    return {
        "pictures alone": search(Filters(modalities=frozenset({Modality.IMAGE}))),
        "texts alone": search(Filters(modalities=frozenset({Modality.DOCUMENT}))),
        "together, by cosine": by_cosine,
        "together, search": search(),
    }


def recall(ranking: Ranking, questions: Sequence[MixedQuestion]) -> dict[str, tuple[float, ...]]:
    """Recall@1, 5 and 10 of the pictures and of the texts."""
    found = [list(ranking(question)) for question in questions]
    sides = {"picture": [one.picture for one in questions], "text": [one.document for one in questions]}
    return {
        side: tuple(
            sum(name in names[:cut] for name, names in zip(wanted, found, strict=True)) / len(found) for cut in _CUTS
        )
        for side, wanted in sides.items()
    }


def measure(
    folder: Path, part: Part, count: int, weights: Weights = Weights()
) -> dict[str, dict[str, tuple[float, ...]]]:
    """Make the files in `folder`, index them, and measure every ranking."""
    questions = make_folder(folder / "files", part, count)
    location = IndexLocation(folder / "index")
    index(location, [folder / "files"], profile=PROFILE)
    profile = profile_named(PROFILE)
    store = open_store(location, profile.schema, create=False)
    try:
        with Lexicon() as lexicon:
            searcher = Searcher(store, profile.load(), lexicon, weights)
            return {name: recall(ranking, questions) for name, ranking in rankings(searcher, store).items()}
    finally:
        store.close()


def table(results: dict[str, dict[str, tuple[float, ...]]]) -> str:
    """The measures as a Markdown table."""
    head = " | ".join(f"{side} R@{cut}" for side in ("picture", "text") for cut in _CUTS)
    lines = [f"| | {head} |", "|---" * (1 + 2 * len(_CUTS)) + "|"]
    for name, sides in results.items():
        cells = " | ".join(f"{value:.2f}" for side in ("picture", "text") for value in sides[side])
        lines.append(f"| {name} | {cells} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure on training concepts in new styles and on new concepts, and print both tables."""
    parser = argparse.ArgumentParser(prog="python -m eval.pictogram.mixed", description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="concepts")
    options = parser.parse_args(arguments)
    world = make_world(None, every_language=False)
    for title, part in (("Concepts seen in training", world.training), ("New concepts", world.test)):
        with tempfile.TemporaryDirectory() as scratch:
            results = measure(Path(scratch), part, options.count)
        print(f"{title}, new styles\n\n{table(results)}\n")  # noqa: T201


if __name__ == "__main__":
    main()
