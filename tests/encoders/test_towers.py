"""Towers built from files on the disk against the bare libraries, and what they refuse to read."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from haystack_agent.encoders.devices import pick_device, unit_rows
from haystack_agent.encoders.hub import Hub
from haystack_agent.encoders.towers.open_clip import OpenClipTower
from haystack_agent.encoders.towers.sentence import SentenceTower
from haystack_agent.errors import ModelUnavailable, UsageError
from haystack_agent.vectors import FloatArray, PictureEncoder, TextEncoder
from tests.support import tinymodels as tiny
from tests.support.fakehub import COMMIT, FakeHub, files_of, running

TEXTS = ["a red bus", "Straße in Köln", "", "q: what? " * 40, "请求书", "half a \ud83d surrogate"]
CLEAN = [text.encode("utf-8", "replace").decode() for text in TEXTS]
E5 = {"query": "query: ", "passage": "passage: "}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All the tiny models, side by side."""
    root = tmp_path_factory.mktemp("models")
    tiny.write_text_tower(root / tiny.TEXT_REPO)
    tiny.write_clip(root / "plain", tiny.PLAIN, tiny.NEAREST)
    tiny.write_clip(root / "multilingual", tiny.MULTILINGUAL, tiny.HALVES)
    tiny.write_clip(root / "siglip", tiny.SIGLIP, tiny.HALVES)
    tiny.write_tokenizer(root / "siglip")
    tiny.write_sentence_model(root / "bert", "bert", {}, dense=24)
    tiny.write_sentence_model(root / "e5", "xlm-roberta", E5)
    tiny.write_seeing_sentence_model(root / "seeing")
    return root


@pytest.fixture
def copied(made: Path, tmp_path: Path) -> Callable[[str], Path]:
    """A copy of a model that a test may damage."""
    return lambda name: Path(shutil.copytree(made / name, tmp_path / name))


@pytest.fixture
def fake(made: Path) -> Iterator[FakeHub]:
    repos = {f"maker/{name}": files_of(made / name) for name in ("plain", "multilingual", "siglip", "bert", "e5")}
    with running(FakeHub(repos | {tiny.TEXT_REPO: files_of(made / tiny.TEXT_REPO)})) as hub:
        yield hub


@pytest.fixture
def hub(fake: FakeHub, tmp_path: Path) -> Hub:
    return Hub(tmp_path / "cache", endpoint=fake.address)


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """A hub that must not be asked, and no way to anywhere else either."""

    def refuse(*_: object) -> None:
        pytest.fail("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return Hub(tmp_path / "cache", endpoint="http://127.0.0.1:9")


def bare_clip(folder: Path, root: Path) -> tuple[FloatArray, FloatArray]:
    """Pictures and texts by open_clip itself, one at a time."""
    import open_clip

    config = json.loads((folder / "open_clip_config.json").read_text("utf-8"))
    if "hf_model_name" in config["model_cfg"]["text_cfg"]:
        folder = Path(shutil.copytree(folder, root / "bare", dirs_exist_ok=True))
        text = folder.parent / "text"
        config["model_cfg"]["text_cfg"]["hf_model_name"] = str(text)
        tiny.write_json(folder / "open_clip_config.json", config)
        tiny.write_text_tower(text)
        tiny.write_tokenizer(folder)
    model, _, prepare = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    tokenize = open_clip.get_tokenizer(f"local-dir:{folder}")
    model.eval()
    with torch.inference_mode():
        images = [model.encode_image(prepare(image)[None], normalize=True) for image in tiny.pictures()]
        texts = [model.encode_text(tokenize([text]), normalize=True) for text in CLEAN]
    return torch.cat(images).numpy(), torch.cat(texts).numpy()


def assert_unit(vectors: FloatArray, count: int, dimension: int) -> None:
    assert vectors.shape == (count, dimension)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("name", ["plain", "multilingual", "siglip"])
def test_a_clip_gives_what_open_clip_gives(made: Path, hub: Hub, tmp_path: Path, name: str) -> None:
    tower: PictureEncoder = OpenClipTower(str(made / name), hub=hub, device="cpu", batch=3)
    images, texts = bare_clip(made / name, tmp_path)
    got_images, got_texts = tower.encode_images(tiny.pictures()), tower.encode_texts(TEXTS)
    assert_unit(got_images, 4, tower.dimension)
    assert_unit(got_texts, len(TEXTS), tower.dimension)
    np.testing.assert_allclose(got_images, images, atol=1e-5)
    np.testing.assert_allclose(got_texts, texts, atol=1e-5)
    assert tower.image_size == (160 if name == "siglip" else 32)
    assert np.abs(images @ images.T).min() < 0.99999, "the pictures all look alike: the comparison shows nothing"


def test_a_clip_of_files_at_hand_never_asks_the_network(made: Path, nowhere: Hub, tmp_path: Path) -> None:
    whole = Path(shutil.copytree(made / "multilingual", tmp_path / "whole"))
    shutil.copytree(made / tiny.TEXT_REPO, whole, dirs_exist_ok=True)
    for folder in (made / "plain", made / "siglip", whole):
        OpenClipTower(f"local-dir:{folder}", hub=nowhere, device="cpu").encode_texts(["a"])


def test_nothing_to_encode(made: Path, nowhere: Hub) -> None:
    clip = OpenClipTower(str(made / "plain"), hub=nowhere, device="cpu")
    assert clip.encode_images([]).shape == clip.encode_texts([]).shape == (0, 16)
    assert SentenceTower(str(made / "bert"), hub=nowhere, device="cpu").encode_passages([]).shape == (0, 24)


def test_a_clip_from_a_hub_comes_with_its_text_tower(fake: FakeHub, hub: Hub, made: Path) -> None:
    tower = OpenClipTower("hf-hub:maker/multilingual", hub=hub, device="cpu")
    local = OpenClipTower(str(made / "multilingual"), hub=hub, device="cpu")
    assert tower.fingerprint == local.fingerprint
    assert tower.encode_texts(TEXTS).tolist() == local.encode_texts(TEXTS).tolist()
    asked = len(fake.requests)
    offline = OpenClipTower("hf-hub:maker/multilingual", hub=Hub(hub.cache, offline=True), device="cpu")
    assert offline.fingerprint == tower.fingerprint
    assert len(fake.requests) == asked


def test_a_clip_by_name_and_tag(
    fake: FakeHub, hub: Hub, made: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import open_clip
    from open_clip import factory, pretrained

    quick = {"hf_hub": "maker/plain/", "quick_gelu": True} | tiny.NEAREST
    plain = {"hf_hub": "maker/plain/"} | tiny.NEAREST
    monkeypatch.setitem(factory._MODEL_CONFIGS, "Tiny-8", tiny.PLAIN)
    tags = {"some": plain, "openai": quick, "old": {"hf_hub": "", "url": "http://x/y.pt"}}
    monkeypatch.setitem(pretrained._PRETRAINED, "Tiny-8", tags)
    tower = OpenClipTower("Tiny-8", "some", hub=hub, device="cpu")
    images, texts = bare_clip(made / "plain", tmp_path)
    np.testing.assert_allclose(tower.encode_images(tiny.pictures()), images, atol=1e-5)
    np.testing.assert_allclose(tower.encode_texts(TEXTS), texts, atol=1e-5)
    quicker = OpenClipTower("Tiny-8", "openai", hub=hub, device="cpu")
    assert quicker.fingerprint != tower.fingerprint
    bare, _, prepare = open_clip.create_model_and_transforms(f"local-dir:{made / 'plain'}", quick_gelu=True)
    with torch.inference_mode():
        expected = bare.eval().encode_image(prepare(tiny.pictures()[0])[None], normalize=True).numpy()
    # The preprocessing of the folder and of the tag are the same.
    np.testing.assert_allclose(quicker.encode_images(tiny.pictures()[:1]), expected, atol=1e-5)
    with pytest.raises(UsageError, match=r"Tiny-8 has no weights named 'other': choose one of some, openai, old"):
        OpenClipTower("Tiny-8", "other", hub=hub)
    with pytest.raises(ModelUnavailable, match="on no hub"):
        OpenClipTower("Tiny-8", "old", hub=hub)
    with pytest.raises(UsageError, match=r"knows no model 'ViT-B-23'; near it are .*ViT-B-32"):
        OpenClipTower("ViT-B-23", "some", hub=hub)


def test_the_fingerprint_of_a_clip_changes_with_weights_and_settings(
    copied: Callable[[str], Path], nowhere: Hub
) -> None:
    from safetensors.torch import load_file

    folder = copied("siglip")

    def now() -> str:
        return OpenClipTower(str(folder), hub=nowhere, device="cpu").fingerprint

    seen = [now()]
    assert now() == seen[0]
    config = json.loads((folder / "open_clip_config.json").read_text("utf-8"))
    config["preprocess_cfg"]["mean"] = [0.4, 0.5, 0.5]
    tiny.write_json(folder / "open_clip_config.json", config)
    seen.append(now())
    tensors = load_file(folder / "open_clip_model.safetensors")
    tensors["logit_scale"] = tensors["logit_scale"] + 1
    tiny.save(folder / "open_clip_model.safetensors", tensors)
    seen.append(now())
    words = json.loads((folder / "tokenizer_config.json").read_text("utf-8"))
    tiny.write_json(folder / "tokenizer_config.json", words | {"model_max_length": 7})
    seen.append(now())
    assert len(set(seen)) == 4


def _wrong(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    config = deepcopy(tiny.PLAIN)
    change(config)
    return config


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (_wrong(lambda c: c.update(embed_dim=32)), "do not belong together"),
        (_wrong(lambda c: c["vision_cfg"].update(colour=1)), "unexpected keyword argument 'colour'"),
        (_wrong(lambda c: c.pop("text_cfg")), "KeyError: 'text_cfg'"),
        (
            _wrong(lambda c: c["vision_cfg"].update(timm_model_name="hf-hub:evil/one")),
            "wants its picture tower fetched from hf-hub:evil/one",
        ),
        (
            _wrong(lambda c: c["text_cfg"].update(tokenizer_kwargs={"trust_remote_code": True})),
            "sets trust_remote_code of its tokenizer",
        ),
    ],
)
def test_a_clip_with_a_wrong_configuration(
    copied: Callable[[str], Path], nowhere: Hub, config: dict[str, Any], said: str
) -> None:
    folder = copied("plain")
    tiny.write_json(folder / "open_clip_config.json", {"model_cfg": config})
    with pytest.raises(ModelUnavailable, match=said):
        OpenClipTower(str(folder), hub=nowhere, device="cpu")


def test_a_clip_with_a_text_tower_of_its_own_code_is_refused(made: Path, fake: FakeHub, hub: Hub) -> None:
    strange = {"model_type": "evil", "auto_map": {"AutoConfig": "evil.Config"}}
    fake.repos[tiny.TEXT_REPO]["config.json"] = json.dumps(strange).encode()
    with pytest.raises(ModelUnavailable, match=r"maker/tiny-xlmr is a text tower of kind evil"):
        OpenClipTower(str(made / "multilingual"), hub=hub, device="cpu")


def test_clips_with_missing_or_damaged_files(copied: Callable[[str], Path], nowhere: Hub, tmp_path: Path) -> None:
    folder = copied("plain")

    def said() -> str:
        with pytest.raises(ModelUnavailable) as caught:
            OpenClipTower(str(folder), hub=nowhere, device="cpu")
        return str(caught.value)

    weights = folder / "open_clip_model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:1000])
    assert "or are damaged; get them again" in said()
    weights.rename(folder / "open_clip_pytorch_model.bin")
    assert "weights as open_clip_pytorch_model.bin, a format that can run code" in said()
    (folder / "open_clip_pytorch_model.bin").unlink()
    assert "has no .safetensors file" in said()
    (folder / "a.safetensors").write_bytes(whole)
    OpenClipTower(str(folder), hub=nowhere, device="cpu")
    (folder / "b.safetensors").write_bytes(whole)
    assert "has a.safetensors, b.safetensors in" in said()
    (folder / "open_clip_config.json").write_text("[]", "utf-8")
    assert "holds no settings" in said()
    (folder / "open_clip_config.json").write_text("{}", "utf-8")
    assert "has no model_cfg" in said()
    (folder / "open_clip_config.json").unlink()
    assert "cannot be read" in said()
    folder = tmp_path / "none"
    assert "There is no folder" in said()


def test_a_multilingual_clip_offline_says_what_is_missing(made: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"maker/tiny-xlmr is not in .* nothing may be downloaded"):
        OpenClipTower(str(made / "multilingual"), hub=Hub(tmp_path, offline=True), device="cpu")


def bare_sentences(folder: Path, texts: list[str], prompt: str) -> FloatArray:
    """Sentences by sentence-transformers itself, with the prompt written out before each of them."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    model.prompts = {}
    vectors = [
        model.encode([{"text": prompt + text}], normalize_embeddings=True, show_progress_bar=False)[0] for text in texts
    ]
    return np.stack(vectors)


@pytest.mark.parametrize(
    ("name", "dimension", "query", "passage"),
    [("bert", 24, "", ""), ("e5", 32, "query: ", "passage: "), ("seeing", 16, "", "")],
)
def test_sentences_are_those_of_sentence_transformers(
    made: Path, nowhere: Hub, name: str, dimension: int, query: str, passage: str
) -> None:
    tower: TextEncoder = SentenceTower(str(made / name), hub=nowhere, device="cpu", batch=2)
    assert tower.dimension == dimension
    passages = tower.encode_passages(TEXTS)
    assert_unit(passages, len(TEXTS), dimension)
    np.testing.assert_allclose(passages, bare_sentences(made / name, CLEAN, passage), atol=1e-5)
    question = tower.encode_query(TEXTS[1])
    assert_unit(question[None], 1, dimension)
    np.testing.assert_allclose(question[None], bare_sentences(made / name, CLEAN[1:2], query), atol=1e-5)
    assert (np.abs(question - passages[1]).max() < 1e-5) == (query == passage)


def test_prompts_that_a_model_does_not_name_can_be_given(made: Path, nowhere: Hub) -> None:
    bare, told = (
        SentenceTower(str(made / "bert"), hub=nowhere, device="cpu", prompts=prompts)
        for prompts in (None, ("q: ", "p: "))
    )
    np.testing.assert_allclose(told.encode_passages(["a"]), bare_sentences(made / "bert", ["a"], "p: "), atol=1e-5)
    np.testing.assert_allclose(told.encode_query("a")[None], bare_sentences(made / "bert", ["a"], "q: "), atol=1e-5)
    assert bare.fingerprint != told.fingerprint


@pytest.mark.parametrize("name", ["bert", "seeing"])
def test_a_text_that_looks_like_an_address_or_a_path_is_a_text(
    made: Path, fake: FakeHub, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = tmp_path / "picture.png"
    tiny.pictures()[0].save(picture)
    hostile = [
        f"{fake.address}/picture.png",
        f"{fake.address}/clip.mp4",
        str(picture),
        "data:image/png;base64,iVBORw0KGgo=",
        "https://www.youtube.com/watch?v=1",
    ]
    tower = SentenceTower(str(made / name), hub=Hub(tmp_path), device="cpu")
    expected = bare_sentences(made / name, hostile, "")
    opened: list[str] = []
    real = Path.open

    def seen(self: Path, *args: Any, **kwargs: Any) -> Any:
        opened.append(str(self))
        return real(self, *args, **kwargs)

    def watched(path: Any, *args: Any, **kwargs: Any) -> Any:
        opened.append(str(path))
        return real(Path(path), *args, **kwargs)

    monkeypatch.setattr(Path, "open", seen)
    monkeypatch.setattr("builtins.open", watched)
    picture.chmod(0)
    passages = tower.encode_passages(hostile)
    questions = np.stack([tower.encode_query(text) for text in hostile])
    monkeypatch.undo()
    assert not fake.requests
    assert not [path for path in opened if "picture" in path]
    np.testing.assert_allclose(passages, expected, atol=1e-5)
    np.testing.assert_allclose(questions, expected, atol=1e-5)


def test_the_library_itself_would_fetch_it(made: Path, fake: FakeHub) -> None:
    """Without this the test above would show nothing."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(made / "seeing"), device="cpu", local_files_only=True)
    assert "image" in model.modalities
    with pytest.raises(Exception, match=r".*"):
        model.encode([f"{fake.address}/picture.png"], show_progress_bar=False)
    assert [one.path for one in fake.requests] == ["/picture.png"]


def test_sentences_from_a_hub(fake: FakeHub, hub: Hub, made: Path) -> None:
    fake.repos["maker/e5"] |= {"onnx/model.json": b"{}", "openvino/model.bin": b"x", "training_args.bin": b"x"}
    tower = SentenceTower("maker/e5", hub=hub, device="cpu")
    local = SentenceTower(str(made / "e5"), hub=hub, device="cpu")
    assert tower.fingerprint == local.fingerprint
    assert tower.encode_passages(TEXTS).tolist() == local.encode_passages(TEXTS).tolist()
    assert (hub.cache / "maker--e5" / COMMIT / "1_Pooling" / "config.json").is_file()
    assert not [one for one in fake.requests if "onnx" in one.path or one.path.endswith(".bin")]
    offline = SentenceTower("hf-hub:maker/e5", hub=Hub(hub.cache, offline=True), device="cpu")
    assert offline.fingerprint == tower.fingerprint


def test_the_fingerprint_of_sentences_changes_with_prompts_and_weights(
    copied: Callable[[str], Path], nowhere: Hub
) -> None:
    folder = copied("e5")
    first = SentenceTower(str(folder), hub=nowhere, device="cpu").fingerprint
    path = folder / "config_sentence_transformers.json"
    config = json.loads(path.read_text("utf-8"))
    config["prompts"]["passage"] = "text: "
    tiny.write_json(path, config)
    assert SentenceTower(str(folder), hub=nowhere, device="cpu").fingerprint != first


def test_sentence_models_that_are_refused(copied: Callable[[str], Path], nowhere: Hub, tmp_path: Path) -> None:
    folder = copied("bert")

    def said(name: str = "") -> str:
        with pytest.raises(ModelUnavailable) as caught:
            SentenceTower(name or str(folder), hub=nowhere, device="cpu")
        return str(caught.value)

    dense = folder / "2_Dense" / "model.safetensors"
    kept = dense.read_bytes()
    dense.rename(dense.with_name("pytorch_model.bin"))
    assert "weights as 2_Dense/pytorch_model.bin, a format that can run code" in said()
    dense.with_name("pytorch_model.bin").unlink()
    dense.write_bytes(kept[:50])
    assert "cannot be loaded from" in said()
    dense.write_bytes(kept)
    modules = json.loads((folder / "modules.json").read_text("utf-8"))
    modules[1]["type"] = "evil.Module"
    tiny.write_json(folder / "modules.json", modules)
    assert "or brings code of its own, cannot be used" in said()
    assert "There is no folder" in said(f"{tmp_path}/none")
    config = json.loads((folder / "config.json").read_text("utf-8"))
    tiny.write_json(folder / "config.json", config | {"model_type": "evil", "auto_map": {"AutoConfig": "evil.Config"}})
    assert "brings code of its own" in said()


def test_loading_draws_nothing(made: Path, nowhere: Hub, capfd: pytest.CaptureFixture[str]) -> None:
    SentenceTower(str(made / "bert"), hub=nowhere, device="cpu").encode_passages(["a"])
    OpenClipTower(str(made / "siglip"), hub=nowhere, device="cpu").encode_texts(["a"])
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["tpu", "cuda:99", "cpu:x", "cuda:-1"])
def test_devices_that_are_not_there(name: str) -> None:
    with pytest.raises(UsageError, match=r"there is no device .* here: choose one of .*cpu"):
        pick_device(name)


def test_the_device_that_is_there() -> None:
    assert pick_device("cpu") == torch.device("cpu")
    assert pick_device().type in {"cpu", "cuda", "mps"}


@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf")])
def test_vectors_that_are_none_are_refused(value: float) -> None:
    with pytest.raises(ModelUnavailable, match="x made a vector that is zero or not finite"):
        unit_rows(torch.full((2, 3), value), "x")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
@pytest.mark.parametrize("name", ["plain", "multilingual", "siglip"])
def test_a_gpu_gives_nearly_the_same(made: Path, hub: Hub, name: str) -> None:
    there, here = (OpenClipTower(str(made / name), hub=hub, device=device) for device in ("cuda", "cpu"))
    for one, other in (
        (there.encode_images(tiny.pictures()), here.encode_images(tiny.pictures())),
        (there.encode_texts(TEXTS), here.encode_texts(TEXTS)),
    ):
        assert one.dtype == np.float32
        assert (one * other).sum(axis=1).min() > 0.995
