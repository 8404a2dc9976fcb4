"""``haystack-agent uclip``, from an index of pictures to a projector that searches it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from eval.pictogram.world.concepts import CLDR
from haystack_agent.encoders.profile import profile_named
from haystack_agent.encoders.projector import Projector
from tests.commands.test_cli import Shell, clean

COLOURS = ("red", "blue", "green", "yellow", "black", "white")
LITTLE = ("--phrases", "600", "--batch", "64")


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """Six pictures, one of them twice, and a text, in the default index."""
    base = tmp_path_factory.mktemp("uclip")
    (base / "files").mkdir()
    for colour in COLOURS:
        Image.new("RGB", (80, 60), colour).save(base / "files" / f"{colour}.png")
    (base / "files" / "again.png").write_bytes((base / "files" / "red.png").read_bytes())
    (base / "files" / "note.txt").write_text("Not a picture.\n")
    shell = Shell(base)
    clean(shell.run("index", str(base / "files")), 0)
    return shell


@pytest.fixture(scope="module")
def trained(shell: Shell) -> Path:
    """A projector by the default recipe, with little of everything."""
    out = shell.base / "mine"
    told = clean(
        shell.run("uclip", "train", str(out), "--phrases", "600", "--batch", "64", "--epochs", "2"), 0
    ).stdout.decode()
    assert "6 vectors of width" in told and "600 vectors of width" in told and "epoch 2" in told
    return out


def test_with_nothing_but_a_folder_a_projector_is_trained(trained: Path) -> None:
    projector = Projector.load(trained / "projector.safetensors")
    assert "phrases of CLDR vocabulary" in projector.card.data
    assert "the index default" in projector.card.data
    encoders = profile_named("pictogram").load()
    assert projector.project_text(encoders.text.encode_query("kočka")).shape == (projector.card.dimension,)
    assert (trained / "loss.png").is_file() and "held-out loss" in (trained / "projector.md").read_text("utf-8")


def test_banks_are_made_once_and_a_run_goes_on(shell: Shell, trained: Path) -> None:
    before = (trained / "pictures" / "vectors.f16").stat().st_mtime_ns
    again = clean(shell.run("uclip", "train", str(trained), *LITTLE, "--epochs", "3"), 0).stdout.decode()
    assert "epoch 3" in again and "epoch 2" not in again and "vectors of width" not in again
    assert (trained / "pictures" / "vectors.f16").stat().st_mtime_ns == before


def test_a_bank_that_was_interrupted_is_made_anew(shell: Shell, trained: Path) -> None:
    (trained / "texts" / "bank.json").unlink()
    told = clean(shell.run("uclip", "train", str(trained), *LITTLE, "--epochs", "3"), 0)
    assert "600 vectors of width" in told.stdout.decode()


def test_banks_of_folders_files_and_an_index(shell: Shell) -> None:
    texts = shell.base / "texts.txt"
    texts.write_text("kočka\n\npes\n", "utf-8")
    counts = {}
    for name, source in {
        "folder": ("--images", str(shell.base / "files")),
        "index": ("--index", "default"),
        "texts": ("--texts", str(texts)),
        "phrases": ("--phrases", "30"),
    }.items():
        out = shell.base / "banks" / name
        clean(shell.run("uclip", "bank", str(out), *source), 0)
        counts[name] = json.loads((out / "bank.json").read_text("utf-8"))["count"]
    assert counts == {"folder": 7, "index": 6, "texts": 2, "phrases": 30}


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (("bank", "out"), "Name one source", 2),
        (("bank", "out", "--phrases", "3", "--index", "default"), "Name one source", 2),
        (("bank", "out", "--texts", "nowhere.txt"), "nowhere.txt cannot be read", 2),
        (("bank", "out", "--phrases", "3", "--profile", "offline"), "has no CLIP", 2),
        (("train", "out", "--index", "nowhere"), "There is no index", 3),
        (("train", "out", "--text-bank", "nowhere"), "no bank in", 3),
    ],
)
def test_what_cannot_be_done_is_said(shell: Shell, arguments: tuple[str, ...], said: str, code: int) -> None:
    command, out, *others = arguments
    done = clean(shell.run("uclip", command, str(shell.base / "refused" / out), *others), code)
    assert said in done.stderr.decode() and not (shell.base / "refused").exists()


def test_a_bank_of_the_other_encoder_is_refused(shell: Shell) -> None:
    clean(shell.run("uclip", "bank", str(shell.base / "words"), "--phrases", "30"), 0)
    done = clean(shell.run("uclip", "train", str(shell.base / "other"), "--image-bank", str(shell.base / "words")), 3)
    assert "build it with the encoder" in done.stderr.decode()


def test_inclination_is_told_of_files_and_of_pictograms(shell: Shell) -> None:
    path = shell.base / "cs.jsonl"
    path.write_text('{"en": "a red car", "text": "červené auto"}\n{"en": "a cat", "text": "malá kočka"}\n', "utf-8")
    lines = clean(shell.run("uclip", "eval", str(path)), 0).stdout.decode().splitlines()
    assert len(lines) == 3 and all(line.startswith("cs.jsonl") for line in lines[1:])
    assert [sum(map(float, line.split()[-4:])) for line in lines[1:]] == pytest.approx([1, 1], abs=0.01)
    assert "Name files" in clean(shell.run("uclip", "eval"), 2).stderr.decode()


@pytest.mark.skipif(not CLDR.is_dir(), reason="needs Debian's unicode-cldr-core")
def test_the_pictogram_encoder_is_not_inclined_to_english(shell: Shell) -> None:
    done = clean(shell.run("uclip", "eval", "--pictogram", "cs", "--limit", "200"), 0)
    same, _, inclined, _ = map(float, done.stdout.decode().splitlines()[1].split()[-4:])
    assert same > 0.5 and inclined < 0.1
    assert "'tlh'" in clean(shell.run("uclip", "eval", "--pictogram", "tlh"), 2).stderr.decode()
