"""The sentence encoder against another implementation of the same network, and its refusal of other weights."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from haystack_agent.encoders.towers import make_minilm_graph, minilm
from haystack_agent.encoders.towers.minilm import MiniLM
from haystack_agent.errors import ModelUnavailable
from tests.test_layers import loaded_after

Floats = npt.NDArray[np.float64]
TEXTS = ["The plumber's invoice", "Ein Haus am See, bitte nicht stören!", "", "words " * 400, "請求書 42"]


@pytest.fixture(scope="module")
def encoder() -> MiniLM:
    return MiniLM()


def reference(texts: list[str]) -> Floats:
    """BERT written out in numpy, one text at a time, from the same weights."""
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    folder = minilm.model_folder()
    weights = {name: value.astype(np.float64) for name, value in load_file(folder / "model.safetensors").items()}
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(256)
    tokenizer.no_padding()
    rows = [_bert(weights, tokenizer.encode(text).ids) for text in texts]
    return np.stack([row / np.linalg.norm(row) for row in rows])


def _bert(weights: dict[str, Floats], ids: list[int]) -> Floats:
    from math import erf

    gelu = np.vectorize(lambda x: x * 0.5 * (1 + erf(x / 2**0.5)))

    def linear(name: str, x: Floats) -> Floats:
        result: Floats = x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]
        return result

    def norm(name: str, x: Floats) -> Floats:
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
        result: Floats = scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]
        return result

    table = "embeddings.{}_embeddings.weight".format
    summed = weights[table("word")][ids] + weights[table("position")][: len(ids)] + weights[table("token_type")][0]
    states = norm("embeddings.LayerNorm", summed)
    for layer in range(6):
        name = f"encoder.layer.{layer}"
        parts = [linear(f"{name}.attention.self.{part}", states) for part in ("query", "key", "value")]
        query, key, value = (part.reshape(len(ids), 12, 32).transpose(1, 0, 2) for part in parts)
        scores = query @ key.transpose(0, 2, 1) / 32**0.5
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        shares /= shares.sum(-1, keepdims=True)
        mixed = (shares @ value).transpose(1, 0, 2).reshape(len(ids), 384)
        states = norm(f"{name}.attention.output.LayerNorm", states + linear(f"{name}.attention.output.dense", mixed))
        inner = gelu(linear(f"{name}.intermediate.dense", states))
        states = norm(f"{name}.output.LayerNorm", states + linear(f"{name}.output.dense", inner))
    mean: Floats = states.mean(axis=0)
    return mean


def test_vectors_agree_with_another_implementation(encoder: MiniLM) -> None:
    assert np.abs(encoder.encode_passages(TEXTS) - reference(TEXTS)).max() < 1e-5


def test_a_text_has_the_same_vector_alone_and_in_a_batch(encoder: MiniLM) -> None:
    batch = encoder.encode_passages(TEXTS)
    for text, row in zip(TEXTS, batch, strict=True):
        np.testing.assert_allclose(encoder.encode_query(text), row, atol=1e-5)


def test_no_texts_give_no_rows(encoder: MiniLM) -> None:
    assert encoder.encode_passages([]).shape == (0, 384)


def test_other_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "model"
    shutil.copytree(minilm.model_folder(), copy)
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0")
    monkeypatch.setattr(minilm, "model_folder", lambda: copy)
    with pytest.raises(ModelUnavailable, match="not the official"):
        MiniLM()


def test_the_network_is_what_is_made_for_the_weights() -> None:
    """Its file holds no weight, and says of each where it lies: a part of the official file, which is checked."""
    made = make_minilm_graph.make(minilm.model_folder() / minilm.WEIGHTS)
    assert minilm.GRAPH.read_bytes() == made.SerializeToString(deterministic=True)
    places = [{one.key: one.value for one in tensor.external_data} for tensor in made.graph.initializer]
    assert {place["location"] for place in places if place} == {minilm.WEIGHTS} and len(places) > 100


def test_it_needs_no_torch() -> None:
    code = "from haystack_agent.encoders.towers.minilm import MiniLM\nMiniLM().encode_query('x')"
    assert not loaded_after(code) & {"torch", "transformers", "sentence_transformers", "safetensors"}
