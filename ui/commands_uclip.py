"""``haystack-agent uclip``: banks, training and checks of the projector that joins a CLIP and a sentence encoder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from haystack_agent.errors import UsageError
from ui import printable
from ui.downloads import tell_download

if TYPE_CHECKING:
    from PIL.Image import Image

    from haystack_agent.encoders.protocols import PictureEncoder, TextEncoder
    from haystack_agent.uclip.training import EpochEnded

app = typer.Typer(help="Join a CLIP and a sentence encoder: banks, training, checks.", no_args_is_help=True)

Profile = Annotated[str, typer.Option("--profile", metavar="NAME", help="Whose encoders.")]
Out = Annotated[Path, typer.Argument(metavar="OUT", help="The folder to write.")]
Pictures = Annotated[
    list[Path] | None, typer.Option("--images", metavar="FOLDER", help="Folders with pictures (repeatable).")
]
Texts = Annotated[
    list[Path] | None, typer.Option("--texts", metavar="FILE", help="Files with one text a line (repeatable).")
]


@app.command()
def bank(out: Out, images: Pictures = None, texts: Texts = None, profile: Profile = "pictogram") -> None:
    """Build a memory bank of pictures, or of texts in any language."""
    if bool(images) == bool(texts):
        raise UsageError("Name folders with --images, or files with --texts: a bank holds the one or the other.")
    text, clip, _ = _seeing(profile)
    from haystack_agent.uclip import job

    if images:
        built = job.image_bank(out, _images(images, clip.image_size), clip, _names(images))
    else:
        lines = (line for path in texts or () for line in _lines(path))
        built = job.text_bank(out, lines, text, _names(texts or []))
    typer.echo(f"{built.card.count} vectors of width {built.card.width} in {printable.name(out)}.")


@app.command()
def train(  # noqa: PLR0913, PLR0917 - the parameters are the options
    out: Out,
    image_bank: Annotated[Path, typer.Option("--image-bank", metavar="BANK", help="A bank of pictures.")],
    text_bank: Annotated[Path, typer.Option("--text-bank", metavar="BANK", help="A bank of texts in any language.")],
    captions: Annotated[Path, typer.Option("--captions", metavar="FILE", help="English captions, one a line.")],
    profile: Profile = "pictogram",
    epochs: Annotated[int, typer.Option("--epochs", min=1)] = 5,
    batch: Annotated[int, typer.Option("--batch", min=2)] = 512,
    seed: Annotated[int, typer.Option("--seed")] = 0,
    device: Annotated[str, typer.Option("--device", help="cpu, cuda or mps; the best there is, if not given.")] = "",
) -> None:
    """Train a projector on banks and English captions; a run that was stopped goes on."""
    text, clip, names = _seeing(profile)
    from haystack_agent.uclip import job
    from haystack_agent.uclip.bank import Bank
    from haystack_agent.uclip.projector import EncoderRef, ProjectorCard
    from haystack_agent.uclip.recipe import Recipe

    banks = (
        Bank.open(image_bank, clip.fingerprint, clip.dimension),
        Bank.open(text_bank, text.fingerprint, text.dimension),
    )
    pivot = job.pivot_of(list(_lines(captions)), text, clip)
    data = f"pictures of {banks[0].card.source}; texts of {banks[1].card.source}; captions of {captions.name}"
    recipe = Recipe(epochs=epochs, batch=batch, seed=seed, device=device)
    text_ref = EncoderRef(names[0], text.fingerprint, text.dimension)
    clip_ref = EncoderRef(names[1], clip.fingerprint, clip.dimension)
    job.train_projector(out, pivot, banks, ProjectorCard(text_ref, clip_ref, recipe.dimension, data), recipe, _tell)
    typer.echo(f"Written: {printable.name(out / job.PROJECTOR)}")


@app.command("eval")
def evaluate(
    captions: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Files of lines with 'en' and 'text' (JSON, may be gzipped)."),
    ],
    profile: Profile = "pictogram",
    limit: Annotated[int, typer.Option("--limit", min=2, help="Items of a file at most.")] = 1000,
) -> None:
    """Does the sentence encoder prefer unrelated English to related text of the question's language?"""
    from eval.inclination import First, WordEncoder, inclination, read_items
    from haystack_agent.encoders.profile import profile_named

    encoders = {profile: profile_named(profile, tell_download).load().text, "shared words": WordEncoder()}
    typer.echo(f"{'file':20} {'encoder':14} " + " ".join(f"{first.value:>24}" for first in First))
    for path in captions:
        items = read_items(path, limit)
        for name, encoder in encoders.items():
            shares = inclination(encoder, items)
            cells = " ".join(f"{shares[first]:24.3f}" for first in First)
            typer.echo(f"{printable.line(path.name):20} {name:14} {cells}")


def _seeing(profile: str) -> tuple[TextEncoder, PictureEncoder, tuple[str, str]]:
    """The encoders of a profile, and their names."""
    from haystack_agent.encoders.profile import profile_named

    found = profile_named(profile, tell_download)
    encoders = found.load()
    if encoders.sight is None:
        raise UsageError(f"the profile {profile!r} has no CLIP: name one that sees")
    return encoders.text, encoders.sight.pictures, (f"{found.name}, text", f"{found.name}, pictures")


def _images(folders: list[Path], side: int) -> Iterator[Image]:
    from PIL import Image as Images

    from ingest.looking import looks_in
    from ingest.pipeline import default_workers

    for look in looks_in(folders, side, default_workers()):
        yield Images.frombytes("RGB", (look.width, look.height), look.rgb)


def _lines(path: Path) -> Iterator[str]:
    """Lines that hold something.

    Raises:
        UsageError: the file cannot be read.
    """
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            yield from (line.strip() for line in file if line.strip())
    except OSError as error:
        raise UsageError(f"{printable.name(path)} cannot be read: {error.strerror}") from error


def _names(paths: list[Path]) -> str:
    return ", ".join(path.name for path in paths)


def _tell(ended: EpochEnded) -> None:
    mark = "  best so far" if ended.best else ""
    typer.echo(f"epoch {ended.epoch}: loss {ended.loss:.4f}, held-out captions {ended.held_out:.4f}{mark}")
