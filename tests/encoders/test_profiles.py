"""Profiles that see, from the folder to the answer: pictures found by words of any language, and by pictures."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from eval.pictogram.world.concepts import CLDR
from eval.pictogram.world.pictures import FONT, SEEN, UNSEEN, Studio, render_glyphs, to_images
from haystack_agent.asking import PictureAsked, Request
from haystack_agent.encoders.heads import make_heads
from haystack_agent.encoders.profile import profile_named
from haystack_agent.encoders.projector import EncoderRef, ProjectorCard, save_projector
from haystack_agent.engine import Engine
from haystack_agent.errors import UsageError
from haystack_agent.index_location import IndexLocation
from ingest.pixels.query_picture import load_picture
from tests.commands.test_cli import Shell, clean
from tests.support.tinymodels import HALVES, PLAIN, pictures, write_clip, write_sentence_model

EMOJI = "🐈🚂🥜🛵🍏🚗🚑🌇🧂⛷🎳🍤🔩🤝🩸🧺💺🪘👠🖊🍋🏠📷🎸🌵🐧"
CAT = {"cs": "kočka", "ja": "猫", "hr": "mačka", "hu": "macska", "ro": "pisică", "fi": "kissa", "en": "cat"}

drawable = pytest.mark.skipif(
    not (FONT.is_file() and CLDR.is_dir()), reason="needs Debian's fonts-noto-color-emoji and unicode-cldr-core"
)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """Pictures of emoji and one text, indexed with the profile `pictogram`."""
    import torch

    base = tmp_path_factory.mktemp("profiles")
    glyphs = list(render_glyphs(list(EMOJI)).values())
    studio = Studio(glyphs)
    (base / "files").mkdir()
    for folder, style in (("files", SEEN), ("unseen", UNSEEN)):
        (base / folder).mkdir(exist_ok=True)
        drawn = studio.draw([(place,) for place in range(len(glyphs))], style, torch.Generator().manual_seed(1))
        for number, image in enumerate(to_images(drawn)):
            image.resize((192, 192)).save(base / folder / f"{number:02}.png")
    (base / "files" / "note.txt").write_text("The annual report of the harbour office names 1,204 ships.\n")
    shell = Shell(base)
    clean(shell.run("index", str(base / "files"), "--profile", "pictogram"), 0)
    return shell


def found(shell: Shell, *arguments: str) -> list[str]:
    done = clean(shell.run("search", "--json", *arguments), 0)
    evidence: list[dict[str, Any]] = json.loads(done.stdout)["evidence"]
    return [Path(one["path"]).name for one in evidence]


@drawable
@pytest.mark.parametrize("language", sorted(CAT))
def test_a_picture_is_found_in_every_language(shell: Shell, language: str) -> None:
    assert "00.png" in found(shell, "--top-k", "3", CAT[language])


@drawable
def test_text_is_found_beside_pictures(shell: Shell) -> None:
    assert found(shell, "--top-k", "1", "How many ships does the report name?") == ["note.txt"]


@drawable
def test_pictures_are_found_by_pictures(shell: Shell) -> None:
    for number in range(5):
        assert found(shell, "--image", str(shell.base / "files" / f"{number:02}.png"))[0] == f"{number:02}.png"
    hits = 0
    with Engine.open(IndexLocation(shell.base / "data" / "indexes" / "default")) as engine:
        for number in range(len(EMOJI)):
            picture = PictureAsked(load_picture(shell.base / "unseen" / f"{number:02}.png"))
            evidence = engine.find(Request("", 5, picture=picture)).evidence
            hits += f"{number:02}.png" in [Path(one.paths[0]).name for one in evidence]
    assert hits >= 0.8 * len(EMOJI)


@drawable
def test_a_picture_and_words_are_weighed(shell: Shell) -> None:
    image = str(shell.base / "files" / "01.png")
    assert found(shell, "--image", image, "--image-weight", "1", "cat")[0] == "01.png"
    assert "00.png" in found(shell, "--image", image, "--image-weight", "0", "cat")[:3]


@drawable
def test_an_index_keeps_its_profile(shell: Shell) -> None:
    refused = clean(shell.run("index", str(shell.base / "files"), "--profile", "offline"), 3)
    assert b"was made with the profile 'pictogram', not 'offline'" in refused.stderr
    assert json.loads(clean(shell.run("status", "--json"), 0).stdout)["profile"] == "pictogram"


def test_what_is_no_profile_is_a_usage_error(shell: Shell, tmp_path: Path) -> None:
    for name in ("nothing", str(tmp_path / "none.toml")):
        refused = clean(shell.run("index", str(tmp_path), "--index", str(tmp_path / "i"), "--profile", name), 2)
        assert name.encode() in refused.stderr


@drawable
def test_an_index_of_other_encoders_is_refused_until_it_is_indexed_again(shell: Shell, tmp_path: Path) -> None:
    shutil.copytree(shell.base, tmp_path / "copy")
    (card,) = (tmp_path / "copy" / "data").rglob("index.json")
    values = json.loads(card.read_text())
    card.write_text(json.dumps({**values, "fingerprint": "pictogram-of-old"}))
    other = Shell(tmp_path / "copy")
    refused = clean(other.run("search", "cat"), 3)
    assert b"pictogram-of-old" in refused.stderr and b"index` on it again" in refused.stderr


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A profile file with tiny models in the real formats, and a projector for them."""
    base = tmp_path_factory.mktemp("own")
    write_clip(base / "clip", PLAIN, HALVES)
    write_sentence_model(base / "text", "xlm-roberta", {})
    lines = [f"sentence = {str(base / 'text')!r}", f"clip = {str(base / 'clip')!r}"]
    (base / "plain.toml").write_text("\n".join(lines))
    encoders = profile_named(str(base / "plain.toml")).load()
    assert encoders.sight is not None
    text, clip = encoders.text, encoders.sight.pictures
    refs = (EncoderRef("t", text.fingerprint, text.dimension), EncoderRef("c", clip.fingerprint, clip.dimension))
    for name, pair in (("good", refs), ("bad", (refs[0], EncoderRef("c", "another", clip.dimension)))):
        heads = make_heads(text.dimension, clip.dimension, 24).eval()
        save_projector(base / f"{name}.safetensors", heads, ProjectorCard(*pair, 24, "nothing"))
        (base / f"{name}.toml").write_text("\n".join([*lines, f"projector = '{name}.safetensors'"]))
    return base


def test_a_profile_file_of_ones_own(own: Path, tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    (tmp_path / "files").mkdir()
    for number, image in enumerate(pictures()):
        image.save(tmp_path / "files" / f"{number}.png")
    for name in ("plain", "good"):
        index = ("--index", str(tmp_path / name))
        clean(shell.run("index", str(tmp_path / "files"), *index, "--profile", str(own / f"{name}.toml")), 0)
        assert found(shell, *index, "--image", str(tmp_path / "files" / "1.png"))[0] == "1.png"
        assert found(shell, *index, "a cat")
    refused = clean(
        shell.run("index", str(tmp_path), "--index", str(tmp_path / "b"), "--profile", str(own / "bad.toml")), 3
    )
    assert b"another" in refused.stderr


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("sentence = 'x'", "'clip' is missing"),
        ("sentence = 'x'\nclip = 'y'\ncolour = 'red'", "'colour' is not a key"),
        ("sentence = 'x'\nclip = 'y'\nlanguages = 'all'", "languages is 'all'"),
        ("sentence = ", "cannot be read"),
    ],
)
def test_a_malformed_profile_file_says_what_is_wrong(tmp_path: Path, lines: str, said: str) -> None:
    (tmp_path / "own.toml").write_text(lines)
    with pytest.raises(UsageError, match=said):
        profile_named(str(tmp_path / "own.toml"))
