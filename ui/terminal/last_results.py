"""The list that was shown last, kept in the data folder so that ``open N`` knows what N is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from haystack_agent.errors import UsageError
from haystack_agent.records import Box, Evidence, Locator
from haystack_agent.system.private_files import write_private

FILE_NAME = "last_results.json"


@dataclass(frozen=True, slots=True)
class Place:
    """Something to open: a file, where in it, and what is said there."""

    paths: tuple[str, ...]
    """Where the file may be, the best first."""
    locator: Locator = field(default_factory=Locator)
    quote: str = ""


def place_of(item: Evidence, locator: Locator | None = None, quote: str = "") -> Place:
    """The place of evidence, or a narrower one in it."""
    return Place(item.paths, locator or item.piece.locator, quote or item.piece.text)


def save(data_dir: Path, places: Sequence[Place]) -> None:
    """Keep a list in place of the one before, readable by its owner only.

    Raises:
        OSError: it cannot be written.
    """
    write_private(data_dir / FILE_NAME, json.dumps([asdict(place) for place in places]))


def load(data_dir: Path, number: int) -> Place:
    """The place shown under a number, from 1.

    Raises:
        UsageError: nothing was shown yet, or not so much.
    """
    try:
        values = json.loads((data_dir / FILE_NAME).read_text("ascii"))
        places = [_place(value) for value in values]
    except FileNotFoundError:
        raise UsageError("Nothing was shown yet: run `haystack-agent search` or `ask` first.") from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UsageError(f"{data_dir / FILE_NAME} cannot be read ({error}): search again.") from error
    if not 1 <= number <= len(places):
        shown = f"1 to {len(places)}" if places else "nothing"
        raise UsageError(f"There is no number {number}: the last list shows {shown}.")
    return places[number - 1]


def _place(value: dict[str, object]) -> Place:
    locator, paths = value["locator"], value["paths"]
    if not isinstance(locator, dict) or not isinstance(paths, list) or not paths:
        raise TypeError("not a list of places")
    boxes = tuple(Box(**box) for box in locator.pop("boxes"))
    return Place(tuple(map(str, paths)), Locator(**locator, boxes=boxes), str(value["quote"]))
