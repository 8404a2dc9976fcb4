"""The pictogram experiment, from scratch in a tiny size, and the encoders that come out of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from eval.pictogram.__main__ import main
from eval.pictogram.experiment import Experiment
from eval.pictogram.measures import recalls
from eval.pictogram.plan import QUICK
from eval.pictogram.stages import ExperimentStages
from eval.pictogram.world import captions, pictures
from eval.pictogram.world.concepts import CLDR, MEASURED, PIVOT, DrawnConcept, read_concepts, split
from eval.pictogram.world.pictures import FONT, SEEN, UNSEEN, Studio, Style, render_glyphs
from eval.pictogram.world.world import World, make_world
from haystack_agent.encoders.projector import Projector
from haystack_agent.encoders.towers.pictogram import PictogramClip, PictogramText
from haystack_agent.errors import ModelUnavailable

pytestmark = [
    pytest.mark.skipif(not CLDR.is_dir(), reason="needs Debian's unicode-cldr-core"),
    pytest.mark.skipif(not FONT.is_file(), reason="needs Debian's fonts-noto-color-emoji"),
]
SIZE = 64


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Witness:
    """Notes what is drawn and said while towers, banks, pivot and pairs are made."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.drawn: list[tuple[int, Style]] = []
        self.said: set[str] = set()
        draw, caption = Studio.draw, captions.caption

        def drawing(studio: Studio, shown: Sequence[Sequence[int]], style: Style, painter: Any) -> torch.Tensor:
            self.drawn.append((id(studio), style))
            return draw(studio, shown, style, painter)

        def saying(shown: Sequence[DrawnConcept], language: str, drawn: np.random.Generator) -> str:
            self.said |= {concept.emoji for concept in shown}
            return caption(shown, language, drawn)

        patch.setattr(Studio, "draw", drawing)
        for module in ("clip", "text", "features"):
            patch.setattr(f"eval.pictogram.training.{module}.caption", saying)


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Witness, World]:
    """A finished run of `--quick`, what was seen on the way, and the world it drew on."""
    folder = tmp_path_factory.mktemp("pictogram")
    with pytest.MonkeyPatch.context() as patch:
        witness, worlds = Witness(patch), []

        def making(*arguments: Any, **options: Any) -> World:
            worlds.append(make_world(*arguments, **options))
            return worlds[-1]

        patch.setattr("eval.pictogram.experiment.make_world", making)
        assert main([str(folder), "--quick", "--threads", "1"]) == 0
    return folder, witness, worlds[0]


def test_a_quick_run_leaves_tables_and_files_that_can_be_shipped(quick: tuple[Path, Witness, World]) -> None:
    folder, _, world = quick
    about = json.loads((folder / "results.json").read_text("utf-8"))
    assert about["concepts"]["test"] == len(world.test.concepts) > 20
    assert set(about["results"]["test"]["uCLIP"]) == {PIVOT, *MEASURED}
    assert "| without text loss |" in (folder / "results.md").read_text("utf-8")
    text, clip = PictogramText(folder / "text"), PictogramClip(folder / "clip")
    card = Projector.load(folder / "projector.safetensors").card
    assert (card.text.fingerprint, card.clip.fingerprint) == (text.fingerprint, clip.fingerprint)
    assert card.scores


def test_held_out_concepts_and_styles_are_in_no_training(quick: tuple[Path, Witness, World]) -> None:
    _, witness, world = quick
    kept = {concept.emoji for part in (world.validation, world.test) for concept in part.concepts}
    training = {concept.emoji for concept in world.training.concepts}
    assert not kept & training
    assert witness.said <= training
    styles = {studio: [style for which, style in witness.drawn if which == studio] for studio, _ in witness.drawn}
    assert set(styles[id(world.test.studio)]) == {UNSEEN}
    # Training concepts in new styles are a gallery: one batch, after everything that is trained.
    of_training = styles[id(world.training.studio)]
    assert of_training[-1] == UNSEEN
    assert set(of_training[:-1]) == {SEEN}
    assert not set(SEEN.grounds) & set(UNSEEN.grounds)
    assert SEEN.most_turn <= UNSEEN.least_turn


def test_the_same_words_are_said_of_training_concepts(quick: tuple[Path, Witness, World]) -> None:
    world = quick[2]
    known = " ".join(
        text.casefold()
        for concept in world.training.concepts
        for text in (concept.names[PIVOT], *concept.keywords[PIVOT])
    )
    words = {word.casefold() for concept in world.test.concepts for word in concept.names[PIVOT].split()}
    assert {word for word in words if word.isalpha() and word not in known} == set()


def test_a_resumed_run_gives_the_same_results(quick: tuple[Path, Witness, World], tmp_path: Path) -> None:
    folder = tmp_path / "again"
    shutil.copytree(quick[0], folder)
    (folder / "work" / "recipes.json").unlink()  # as if it had been stopped there
    (folder / "results.json").unlink()
    said: list[str] = []
    Experiment(folder, QUICK, said.append).run()
    assert [line for line in said if line.endswith("done before")] == [
        f"{name}: done before" for name in ("clip", "text", "features")
    ]
    assert (folder / "results.json").read_bytes() == (quick[0] / "results.json").read_bytes()


def test_a_stage_is_done_once_and_anew_after_one_that_is_not(tmp_path: Path) -> None:
    done: list[str] = []

    def run(name: str, stages: ExperimentStages) -> None:
        def act() -> None:
            done.append(name)
            (tmp_path / name).touch()

        stages.run(name, [tmp_path / name], act)

    for _ in range(2):
        stages = ExperimentStages(tmp_path, QUICK, lambda _: None)
        run("one", stages)
        run("two", stages)
    assert done == ["one", "two"]
    (tmp_path / "one").unlink()
    stages = ExperimentStages(tmp_path, QUICK, lambda _: None)
    run("one", stages)
    run("two", stages)
    assert done == ["one", "two", "one", "two"]


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
@pytest.mark.parametrize(("kind", "encoder"), [("text", PictogramText), ("clip", PictogramClip)])
def test_cut_or_missing_files_are_refused(
    quick: tuple[Path, Witness, World], tmp_path: Path, name: str, kind: str, encoder: type
) -> None:
    shutil.copytree(quick[0] / kind, tmp_path / kind)
    path = tmp_path / kind / name
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ModelUnavailable):
        encoder(tmp_path / kind)
    path.unlink()
    with pytest.raises(ModelUnavailable):
        encoder(tmp_path / kind)


def test_the_encoders_make_unit_vectors_of_anything(quick: tuple[Path, Witness, World]) -> None:
    folder = quick[0]
    text, clip = PictogramText(folder / "text"), PictogramClip(folder / "clip")
    texts = ["naiskokki", "自転車", "", "\ud800 broken", "word " * 1000]
    images = [Image.new("RGB", (300, 20), "red"), Image.new("L", (7, 900), 128), Image.new("RGBA", (64, 64))]
    for vectors in (text.encode_passages(texts), clip.encode_texts(texts), clip.encode_images(images)):
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
        assert vectors.dtype == np.float32
        assert vectors.shape[1] == text.dimension == clip.dimension
    np.testing.assert_array_equal(text.encode_query(texts[0]), text.encode_passages(texts)[0])
    assert text.encode_passages([]).shape == (0, text.dimension)
    assert clip.encode_images([]).shape == (0, clip.dimension)


def test_missing_packages_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="unicode-cldr-core"):
        read_concepts(tmp_path)
    with pytest.raises(ModelUnavailable, match="fonts-noto-color-emoji"):
        render_glyphs(["🐕"], tmp_path / "none.ttf")


def test_skin_tones_are_left_out_and_the_split_is_the_same_each_time() -> None:
    concepts = read_concepts(every_language=False)
    assert not [one for one in concepts if any(0x1F3FB <= ord(sign) <= 0x1F3FF for sign in one.emoji)]
    parts, again = split(concepts), split(concepts[::-1])
    assert {one.emoji for one in parts.test} == {one.emoji for one in again.test}
    assert 0.12 < len(parts.test) / len(concepts) < 0.15


def test_every_ground_can_be_drawn_and_a_glyph_is_in_the_picture() -> None:
    studio = Studio(list(render_glyphs(["🐕", "🍕", "🚲"]).values()))
    for ground in (*SEEN.grounds, *UNSEEN.grounds):
        painter = torch.Generator().manual_seed(1)
        drawn = studio.draw([(0,), (0, 1), (0, 1, 2)], Style((ground,), 20, 40), painter)
        assert drawn.shape == (3, 3, SIZE, SIZE)
        assert 0 <= float(drawn.min()) < float(drawn.max()) <= 1
    assert [image.size for image in pictures.to_images(drawn)] == [(SIZE, SIZE)] * 3


def test_recall_counts_ranks_both_ways() -> None:
    images = np.eye(12, dtype=np.float32)
    texts = images.copy()
    texts[0] = images[1]
    scores = recalls(texts, images)
    assert scores["t2i@1"] == pytest.approx(11 / 12)
    assert scores["t2i@10"] == pytest.approx(1.0)
