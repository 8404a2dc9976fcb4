"""Heads, banks, soft retrieval, loss and training, on two made encoders that see the same hidden meanings."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from haystack_agent.encoders.heads import CLIP, TEXT, make_heads, project
from haystack_agent.encoders.projector import EncoderRef, Projector, ProjectorCard, save_projector
from haystack_agent.errors import ModelMismatch, ModelUnavailable, UsageError
from haystack_agent.uclip.bank import Bank, build_bank
from haystack_agent.uclip.loss import LossTerms, Projected, info_nce, uclip_loss
from haystack_agent.uclip.recipe import Recipe
from haystack_agent.uclip.soft_retrieval import SoftRetriever
from haystack_agent.uclip.training import EpochEnded, Pivot, train
from haystack_agent.vectors import FloatArray

MEANINGS, TEXT_WIDTH, CLIP_WIDTH = 600, 24, 32
SMALL = Recipe(dimension=32, batch=64, epochs=6, seed=3, device="cpu")


def unit(rows: npt.NDArray[Any]) -> FloatArray:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


class World:
    """Meanings as points; each encoder sees them through its own random map, pictures and languages with noise."""

    def __init__(self, seed: int = 0) -> None:
        self.drawn = np.random.default_rng(seed)
        self.meanings = self.drawn.normal(size=(MEANINGS, 12))
        self.text_map = self.drawn.normal(size=(12, TEXT_WIDTH))
        self.clip_map = self.drawn.normal(size=(12, CLIP_WIDTH))

    def _seen(self, places: slice, to: npt.NDArray[Any], blur: float) -> FloatArray:
        clean = np.tanh(self.meanings[places] @ to)
        return unit(clean + blur * self.drawn.normal(size=clean.shape))

    def captions(self, places: slice) -> Pivot:
        return Pivot(self._seen(places, self.text_map, 0.02), self._seen(places, self.clip_map, 0.02))

    def foreign(self, places: slice) -> FloatArray:
        return self._seen(places, self.text_map, 0.1)

    def pictures(self, places: slice) -> FloatArray:
        return self._seen(places, self.clip_map, 0.1)


TRAINING, HELD_OUT = slice(0, 500), slice(500, 600)


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def pivot(world: World) -> Pivot:
    return world.captions(TRAINING)


@pytest.fixture(scope="module")
def banks(world: World, tmp_path_factory: pytest.TempPathFactory) -> tuple[Bank, Bank]:
    folder = tmp_path_factory.mktemp("banks")
    order = np.random.default_rng(1).permutation(500)  # no row of one bank belongs to the same row of the other
    images = build_bank(folder / "images", [world.pictures(TRAINING)[order]], "clip-1")
    return images, build_bank(folder / "texts", [world.foreign(TRAINING)], "text-1")


def test_the_heads_have_the_number_of_parameters_that_the_paper_gives() -> None:
    heads = make_heads(384, 512)
    assert sum(one.numel() for one in heads.parameters()) == 1_743_104


def test_without_pairs_foreign_texts_find_pictures_never_seen(
    world: World, pivot: Pivot, banks: tuple[Bank, Bank], tmp_path: Path
) -> None:
    recipe = replace(SMALL, epochs=30, patience=30)
    trained = train(pivot, banks, recipe)
    assert trained.history[-1].held_out < trained.history[0].held_out
    projector = saved(tmp_path, trained.heads)
    texts = projector.project_text(world.foreign(HELD_OUT))
    pictures = projector.project_clip(world.pictures(HELD_OUT))
    ranks = (texts @ pictures.T).argmax(axis=1) == np.arange(100)
    assert ranks.mean() > 0.5


def saved(folder: Path, heads: torch.nn.ModuleDict, dimension: int = 32) -> Projector:
    text, clip = EncoderRef("made text", "text-1", TEXT_WIDTH), EncoderRef("made clip", "clip-1", CLIP_WIDTH)
    path = folder / "projector.safetensors"
    save_projector(path, heads, ProjectorCard(text, clip, dimension, "made meanings", {"R@1": 0.5}))
    return Projector.load(path, text, clip)


def test_the_projector_computes_what_the_trained_heads_compute(tmp_path: Path) -> None:
    torch.manual_seed(0)
    heads = make_heads(TEXT_WIDTH, CLIP_WIDTH, 32)
    heads.train()
    for _ in range(3):  # so that the batch normalisation has something to fold
        heads[TEXT](torch.randn(50, TEXT_WIDTH) * 3 + 1)
        heads[CLIP](torch.randn(50, CLIP_WIDTH) - 2)
    heads.eval()
    projector = saved(tmp_path, heads)
    rows = torch.randn(7, TEXT_WIDTH)
    with torch.inference_mode():
        wanted = project(heads[TEXT], rows).numpy()
    np.testing.assert_allclose(projector.project_text(rows.numpy()), wanted, atol=1e-5)
    assert projector.project_clip(np.ones(CLIP_WIDTH, np.float32)).shape == (32,)
    assert "made meanings" in (tmp_path / "projector.md").read_text("utf-8")


def test_an_interrupted_run_goes_on_as_if_nothing_had_happened(
    pivot: Pivot, banks: tuple[Bank, Bank], tmp_path: Path
) -> None:
    whole = train(pivot, banks, SMALL)

    def stop(ended: EpochEnded) -> None:
        if ended.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(pivot, banks, SMALL, tmp_path, stop)
    resumed = train(pivot, banks, SMALL, tmp_path)
    assert resumed.history == whole.history
    for name, value in whole.heads.state_dict().items():
        assert torch.equal(value, resumed.heads.state_dict()[name]), name


def test_another_recipe_in_the_same_folder_is_refused(pivot: Pivot, banks: tuple[Bank, Bank], tmp_path: Path) -> None:
    train(pivot, banks, replace(SMALL, epochs=1), tmp_path)
    with pytest.raises(ModelMismatch, match="another recipe"):
        train(pivot, banks, replace(SMALL, noise=0.0), tmp_path)


def test_a_run_cut_short_on_disk_is_refused(pivot: Pivot, banks: tuple[Bank, Bank], tmp_path: Path) -> None:
    train(pivot, banks, replace(SMALL, epochs=1), tmp_path)
    path = tmp_path / "run.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ModelUnavailable, match="train again"):
        train(pivot, banks, SMALL, tmp_path)


def test_training_stops_when_nothing_gets_better(pivot: Pivot, banks: tuple[Bank, Bank]) -> None:
    recipe = replace(SMALL, learning_rate=0.0, epochs=50, patience=2)
    history = train(pivot, banks, recipe).history
    # Batch statistics still settle in the first epochs; then nothing moves.
    assert len(history) < 50
    assert not history[-1].best and not history[-2].best


def test_what_cannot_be_trained_is_refused(world: World, pivot: Pivot, banks: tuple[Bank, Bank]) -> None:
    with pytest.raises(ModelMismatch, match="image bank holds vectors of width 24"):
        train(pivot, (banks[1], banks[0]), SMALL)
    with pytest.raises(UsageError, match="20 captions are too few"):
        train(world.captions(slice(0, 20)), banks, SMALL)
    with pytest.raises(UsageError, match="no device 'tpu'"):
        train(pivot, banks, replace(SMALL, device="tpu"))


def test_soft_retrieval_in_chunks_is_soft_retrieval(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = np.random.default_rng(0)
    bank, queries = unit(drawn.normal(size=(100, 8))), unit(drawn.normal(size=(5, 8)))
    logits = queries.astype(np.float64) @ bank.astype(np.float16).astype(np.float64).T / 0.01
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    wanted = unit(weights / weights.sum(axis=1, keepdims=True) @ bank.astype(np.float16).astype(np.float64))
    monkeypatch.setattr("haystack_agent.uclip.soft_retrieval._CHUNK", 7)
    found = SoftRetriever(bank.astype(np.float16), 0.01, torch.device("cpu"))(torch.from_numpy(queries))
    np.testing.assert_allclose(found.numpy(), wanted, atol=1e-4)


def cross_entropy(logits: npt.NDArray[np.float64]) -> float:
    """Mean negative log-likelihood of the diagonal."""
    highest = logits.max(axis=1, keepdims=True)
    total = highest[:, 0] + np.log(np.exp(logits - highest).sum(axis=1))
    return float((total - np.diag(logits)).mean())


def test_the_loss_is_the_one_of_the_paper() -> None:
    drawn = np.random.default_rng(0)
    e, t, m, v = (unit(drawn.normal(size=(6, 5))).astype(np.float64) for _ in range(4))

    def contrast(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
        logits = one @ other.T / 0.01
        return (cross_entropy(logits) + cross_entropy(logits.T)) / 2

    apart = np.linalg.norm(m - e, axis=1).mean() + np.linalg.norm(t - v, axis=1).mean()
    parts = {"text": contrast(e, t), "pseudo_image": contrast(m, v), "intra": 0.1 * apart / 2}
    z = Projected(*(torch.from_numpy(rows) for rows in (e, t, m, v)))
    assert float(uclip_loss(z, LossTerms())) == pytest.approx(sum(parts.values()))
    for name, without in {
        "text": LossTerms(text=False),
        "pseudo_image": LossTerms(pseudo_image=False),
        "intra": LossTerms(intra=0),
    }.items():
        assert float(uclip_loss(z, without)) == pytest.approx(sum(parts.values()) - parts[name])


def test_the_contrastive_loss_of_a_batch_that_agrees_is_near_zero() -> None:
    rows = torch.eye(8)
    assert float(info_nce(rows, rows, 0.01)) < 1e-6
    assert float(info_nce(rows, rows.roll(1, 0), 0.01)) > 10


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_a_bank_gives_back_what_was_put_in(sizes: list[int]) -> None:
    import tempfile

    drawn = np.random.default_rng(0)
    batches = [drawn.normal(size=(size, 6)).astype(np.float32) for size in sizes]
    with tempfile.TemporaryDirectory() as folder:
        bank = build_bank(Path(folder), batches, "clip-1", "made")
        np.testing.assert_allclose(np.asarray(bank.vectors, np.float32), unit(np.concatenate(batches)), atol=1e-3)
        assert Bank.open(Path(folder), "clip-1", 6).card == bank.card


def test_banks_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    rows = np.ones((4, 6), np.float32)
    build_bank(tmp_path, [rows], "clip-1")
    with pytest.raises(ModelMismatch, match="width 6, the encoder makes 8"):
        Bank.open(tmp_path, "clip-1", 8)
    with pytest.raises(ModelMismatch, match="made by clip-1, not by clip-2"):
        Bank.open(tmp_path, "clip-2")
    with (tmp_path / "vectors.f16").open("r+b") as file:
        file.truncate(10)
    with pytest.raises(ModelUnavailable, match="10 bytes of vectors, not 48"):
        Bank.open(tmp_path)
    (tmp_path / "bank.json").write_text("[]")
    with pytest.raises(ModelUnavailable, match="build it anew"):
        Bank.open(tmp_path)
    with pytest.raises(ModelUnavailable, match="no bank"):
        Bank.open(tmp_path / "nowhere")


def test_vectors_that_are_not_finite_and_empty_banks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="zero or not finite"):
        build_bank(tmp_path, [np.zeros((1, 3), np.float32)], "clip-1")
    with pytest.raises(ModelUnavailable, match="nothing to build"):
        build_bank(tmp_path, [], "clip-1")
    with pytest.raises(ModelMismatch, match="width 3 cannot take vectors of width 4"):
        build_bank(tmp_path, [np.ones((1, 3), np.float32), np.ones((1, 4), np.float32)], "clip-1")


def test_projectors_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    saved(tmp_path, make_heads(TEXT_WIDTH, CLIP_WIDTH, 32).eval())
    path = tmp_path / "projector.safetensors"
    other = EncoderRef("another text", "text-2", TEXT_WIDTH)
    with pytest.raises(ModelMismatch, match=r"made text \(text-1, width 24\), not for another text"):
        Projector.load(path, text=other)
    tensors = load_file(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-7])
    with pytest.raises(ModelUnavailable, match="cannot be read"):
        Projector.load(path)
    card = {
        "text": {"name": "a", "fingerprint": "b", "width": 24},
        "clip": {"name": "c", "fingerprint": "d", "width": 99},
    }
    save_file(tensors, path, {"card": json.dumps({**card, "dimension": 32})})
    with pytest.raises(ModelUnavailable, match="shape"):
        Projector.load(path)
    save_file(tensors, path)
    with pytest.raises(ModelUnavailable, match="cannot be read"):
        Projector.load(path)
    with pytest.raises(ModelUnavailable, match="no projector"):
        Projector.load(tmp_path / "none.safetensors")
