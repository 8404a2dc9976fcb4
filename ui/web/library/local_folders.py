"""Folders of this computer, as they are typed: only for who sits at it."""

from __future__ import annotations

from pathlib import Path

from fastapi import Request

from haystack_agent.errors import UsageError
from ui import printable
from ui.web.door.visitors import visitor_of


def require_local(request: Request) -> None:
    """Refuse who sits elsewhere.

    Raises:
        UsageError: as said.
    """
    if not visitor_of(request).local:
        raise UsageError("Folders can be named only in a browser on the computer that they are on.")


def folder_named(name: str) -> Path:
    """The folder that was typed.

    Raises:
        UsageError: it is no whole path, or there is none.
    """
    try:
        path = Path(name.strip()).expanduser()
        found = path.is_dir()
    except (OSError, RuntimeError, ValueError):  # a name that no system takes, or of a user that there is not
        path, found = Path(name), False
    if not path.is_absolute():
        raise UsageError(f"{printable.name(name)} is not a whole path: write it from the root, or from ~.")
    if not found:
        raise UsageError(f"There is no folder {printable.name(name)}: check the name.")
    return path
