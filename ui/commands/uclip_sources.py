"""Where the pictures and texts of ``haystack-agent uclip`` come from, and what is shown while they are encoded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from haystack_agent.errors import UsageError
from ui import options, printable

if TYPE_CHECKING:
    from PIL.Image import Image

    from haystack_agent.vectors import Pixels

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class PictureStream(Generic[_Item]):
    """Things to encode, how many at most, and where they come from, in words."""

    items: Iterator[_Item]
    count: int
    source: str

    def shown(self, label: str) -> Iterator[_Item]:
        """The things, with a bar on the terminal while they are taken."""
        from rich.progress import track

        from ui.terminal.render import console

        out = console(error=True)
        yield from track(self.items, label, self.count, console=out, transient=True, disable=not out.is_terminal)


def pictures_in(folders: Sequence[Path], side: int) -> PictureStream[Image]:
    """Pictures of folders, `side` pixels on the shorter side."""
    from ingest import looking

    found = looking.pictures_in(folders, side)
    return PictureStream(_drawn(looking.looks_of(found, _workers())), len(found), _names(folders))


def pictures_of_index(index: str | None, side: int) -> PictureStream[Image]:
    """Pictures that an index has read; the default index where none is named.

    Raises:
        IndexUnusable: there is no index, or it is damaged.
    """
    from ingest import looking

    location = options.location_for(options.settings_for(), index)
    found = looking.pictures_of(location, side)
    return PictureStream(_drawn(looking.looks_of(found, _workers())), len(found), f"the index {location.path.name}")


def texts_of(files: Sequence[Path]) -> PictureStream[str]:
    """Lines of files that hold something.

    Raises:
        UsageError: a file cannot be read.
    """
    return PictureStream((line for path in files for line in _lines(path)), sum(map(_count, files)), _names(files))


def made_phrases(count: int, language: str | None = None) -> PictureStream[str]:
    """Phrases of one language, or of all."""
    from haystack_agent.uclip.phrases import phrases

    return PictureStream(phrases(count, language), count, f"{count} phrases of CLDR vocabulary")


def _drawn(looks: Iterator[Pixels]) -> Iterator[Image]:
    from PIL import Image as Images

    for look in looks:
        yield Images.frombytes("RGB", (look.width, look.height), look.rgb)


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            yield from (line.strip() for line in file if line.strip())
    except OSError as error:
        raise UsageError(f"{printable.name(path)} cannot be read: {error.strerror}") from error


def _count(path: Path) -> int:
    return sum(1 for _ in _lines(path))


def _names(paths: Sequence[Path]) -> str:
    return ", ".join(path.name for path in paths)


def _workers() -> int:
    from ingest.pipeline import default_workers

    return default_workers()
