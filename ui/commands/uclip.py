"""``haystack-agent uclip``: banks, training and checks of the projector that joins a CLIP and a sentence encoder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from haystack_agent.errors import UsageError
from ui import printable
from ui.commands import uclip_banks, uclip_sources
from ui.terminal.downloads import tell_download

if TYPE_CHECKING:
    from haystack_agent.uclip.training import EpochEnded

app = typer.Typer(help="Join a CLIP and a sentence encoder: banks, training, checks.", no_args_is_help=True)

ProfileName = Annotated[str, typer.Option("--profile", metavar="NAME", help="Whose encoders.")]
Out = Annotated[Path, typer.Argument(metavar="OUT", help="The folder to write.")]
Pictures = Annotated[
    list[Path] | None, typer.Option("--images", metavar="FOLDER", help="Folders with pictures (repeatable).")
]
Index = Annotated[str | None, typer.Option("--index", metavar="NAME_OR_PATH", help="The pictures of this index.")]
Texts = Annotated[
    list[Path] | None, typer.Option("--texts", metavar="FILE", help="Files with one text a line (repeatable).")
]
_PHRASES = 100_000


@app.command()
def bank(
    out: Out,
    images: Pictures = None,
    index: Index = None,
    texts: Texts = None,
    phrases: Annotated[
        int | None, typer.Option("--phrases", metavar="N", min=1, help="So many made phrases in 110 languages.")
    ] = None,
    profile: ProfileName = "pictogram",
) -> None:
    """Build a memory bank of pictures, or of texts in any language."""
    if sum(bool(one) for one in (images, index, texts, phrases)) != 1:
        raise UsageError("Name one source: --images or --index for pictures, --texts or --phrases for texts.")
    encoders = uclip_banks.seeing(profile)
    if images:
        uclip_banks.make_picture_bank(out, uclip_sources.pictures_in(images, encoders.clip.image_size), encoders)
    elif index:
        uclip_banks.make_picture_bank(out, uclip_sources.pictures_of_index(index, encoders.clip.image_size), encoders)
    else:
        stream = uclip_sources.texts_of(texts) if texts else uclip_sources.made_phrases(phrases or 0)
        uclip_banks.make_text_bank(out, stream, encoders)


@app.command()
def train(  # noqa: PLR0913, PLR0917 - the parameters are the options
    out: Out,
    image_bank: Annotated[
        Path | None, typer.Option("--image-bank", metavar="BANK", help="A bank of pictures, not those of an index.")
    ] = None,
    text_bank: Annotated[
        Path | None, typer.Option("--text-bank", metavar="BANK", help="A bank of texts, not of made phrases.")
    ] = None,
    captions: Annotated[
        Path | None, typer.Option("--captions", metavar="FILE", help="English captions, one a line, not made phrases.")
    ] = None,
    index: Index = None,
    phrases: Annotated[int, typer.Option("--phrases", metavar="N", min=1, help="How many to make.")] = _PHRASES,
    profile: ProfileName = "pictogram",
    epochs: Annotated[int, typer.Option("--epochs", min=1)] = 5,
    batch: Annotated[int, typer.Option("--batch", min=2)] = 512,
    seed: Annotated[int, typer.Option("--seed")] = 0,
    device: Annotated[str, typer.Option("--device", help="cpu, cuda or mps; the best there is, if not given.")] = "",
) -> None:
    """Train a projector; a run that was stopped goes on.

    With nothing but OUT, the pictures are those of the default index, and the texts and captions are phrases made of
    the names of things in 110 languages.
    """
    encoders = uclip_banks.seeing(profile)
    from haystack_agent.encoders.projector import ProjectorCard
    from haystack_agent.uclip import job
    from haystack_agent.uclip.recipe import Recipe

    banks = uclip_banks.banks(out, (image_bank, text_bank), index, phrases, encoders)
    stream = uclip_sources.texts_of([captions]) if captions else uclip_sources.made_phrases(phrases, "en")
    pivot = job.pivot_of(list(stream.shown("Making captions")), encoders.text, encoders.clip)
    data = f"pictures of {banks[0].card.source}; texts of {banks[1].card.source}; captions of {stream.source}"
    recipe = Recipe(epochs=epochs, batch=batch, seed=seed, device=device)
    card = ProjectorCard(encoders.text_ref, encoders.clip_ref, recipe.dimension, data)
    job.train_projector(out, pivot, banks, card, recipe, _tell)
    typer.echo(f"Written: {printable.name(out / job.PROJECTOR)}")


@app.command("eval")
def evaluate(
    captions: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE]...", help="Files of lines with 'en' and 'text' (JSON, may be gzipped)."),
    ] = None,
    pictogram: Annotated[
        list[str] | None,
        typer.Option("--pictogram", metavar="CODE", help="Names of emoji in English and this language (repeatable)."),
    ] = None,
    profile: ProfileName = "pictogram",
    limit: Annotated[int, typer.Option("--limit", min=2, help="Items at most.")] = 1000,
) -> None:
    """Does the sentence encoder prefer unrelated English to related text of the question's language?"""
    from eval.inclination import First, WordEncoder, inclination, read_items
    from eval.pictogram.world.inclination_items import pictogram_items
    from haystack_agent.encoders.profile import profile_named

    pools = {path.name: read_items(path, limit) for path in captions or ()}
    pools |= {f"pictogram, {code}": pictogram_items(code, limit) for code in pictogram or ()}
    if not pools:
        raise UsageError("Name files with captions, or a language with --pictogram.")
    encoders = {profile: profile_named(profile, tell_download).load().text, "shared words": WordEncoder()}
    typer.echo(f"{'items':20} {'encoder':14} " + " ".join(f"{first.value:>24}" for first in First))
    for pool, items in pools.items():
        for name, encoder in encoders.items():
            shares = inclination(encoder, items)
            cells = " ".join(f"{shares[first]:24.3f}" for first in First)
            typer.echo(f"{printable.line(pool):20} {printable.line(name):14} {cells}")


def _tell(ended: EpochEnded) -> None:
    mark = "  best so far" if ended.best else ""
    typer.echo(f"epoch {ended.epoch}: loss {ended.loss:.4f}, held-out captions {ended.held_out:.4f}{mark}")
