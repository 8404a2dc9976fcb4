"""The banks of ``haystack-agent uclip``: opened where they are, made where they are not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from haystack_agent.errors import ModelUnavailable, UsageError
from ui import printable
from ui.commands import uclip_sources
from ui.terminal.downloads import tell_download

if TYPE_CHECKING:
    from PIL.Image import Image

    from haystack_agent.encoders.projector import EncoderRef
    from haystack_agent.uclip.bank import Bank
    from haystack_agent.vectors import PictureEncoder, TextEncoder
    from ui.commands.uclip_sources import PictureStream


@dataclass(frozen=True, slots=True)
class JoinedEncoders:
    """The two encoders that a projector joins, and how its card names them."""

    text: TextEncoder
    clip: PictureEncoder
    profile: str

    @property
    def text_ref(self) -> EncoderRef:
        """The sentence encoder."""
        return _reference(f"{self.profile}, text", self.text)

    @property
    def clip_ref(self) -> EncoderRef:
        """The CLIP."""
        return _reference(f"{self.profile}, pictures", self.clip)


def _reference(name: str, encoder: TextEncoder | PictureEncoder) -> EncoderRef:
    from haystack_agent.encoders.projector import EncoderRef

    return EncoderRef(name, encoder.fingerprint, encoder.dimension)


def seeing(profile: str) -> JoinedEncoders:
    """The encoders of a profile.

    Raises:
        UsageError: it has no CLIP, or there is no such profile.
    """
    from haystack_agent.encoders.profile import profile_named

    found = profile_named(profile, tell_download)
    encoders = found.load()
    if encoders.sight is None:
        raise UsageError(f"the profile {profile!r} has no CLIP: name one that sees")
    return JoinedEncoders(encoders.text, encoders.sight.pictures, found.name)


def banks(
    out: Path, named: tuple[Path | None, Path | None], index: str | None, phrases: int, encoders: JoinedEncoders
) -> tuple[Bank, Bank]:
    """Banks of pictures and of texts: those named, else those in `out`, made where no earlier run made them."""
    # What was named wrongly is said before the work begins.
    if named[0] is not None:
        _opened(named[0], encoders.clip)
    if named[1] is not None:
        _opened(named[1], encoders.text)
    pictures, texts = named[0] or out / "pictures", named[1] or out / "texts"
    if named[0] is None and not _made(pictures):
        make_picture_bank(pictures, uclip_sources.pictures_of_index(index, encoders.clip.image_size), encoders)
    if named[1] is None and not _made(texts):
        make_text_bank(texts, uclip_sources.made_phrases(phrases), encoders)
    return _opened(pictures, encoders.clip), _opened(texts, encoders.text)


def make_picture_bank(folder: Path, stream: PictureStream[Image], encoders: JoinedEncoders) -> None:
    """Encode pictures."""
    from haystack_agent.uclip import job

    _tell(job.image_bank(folder, stream.shown("Looking at pictures"), encoders.clip, stream.source), folder)


def make_text_bank(folder: Path, stream: PictureStream[str], encoders: JoinedEncoders) -> None:
    """Encode texts."""
    from haystack_agent.uclip import job

    _tell(job.text_bank(folder, stream.shown("Reading texts"), encoders.text, stream.source), folder)


def _opened(folder: Path, encoder: TextEncoder | PictureEncoder) -> Bank:
    from haystack_agent.uclip.bank import Bank

    return Bank.open(folder, encoder.fingerprint, encoder.dimension)


def _made(folder: Path) -> bool:
    """Whether there is a whole bank; one that was interrupted is made anew."""
    from haystack_agent.uclip.bank import Bank

    try:
        Bank.open(folder)
    except ModelUnavailable:
        return False
    return True


def _tell(bank: Bank, folder: Path) -> None:
    typer.echo(f"{bank.card.count} vectors of width {bank.card.width} in {printable.name(folder)}.")
