"""Files that are written beside their place and moved there: whoever reads finds the old one or the new one, whole."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A place beside `path`, hidden and with its suffix: what is written there takes the place of `path` at the end.

    Where the block fails, nothing is left of it, and `path` is as it was. The folder must exist.

    Raises:
        OSError: it cannot be moved.
    """
    draft = path.with_name(f".{secrets.token_hex(8)}.draft{path.suffix}")
    try:
        yield draft
        draft.replace(path)
    finally:
        with contextlib.suppress(OSError):  # what went wrong before is what is told
            draft.unlink(missing_ok=True)


def write_whole(path: Path, content: str | bytes) -> None:
    """Put a text, as UTF-8, or bytes in the place of what was there; the folder must exist.

    Raises:
        OSError: it cannot be written; what was there still is.
    """
    with replacing(path) as draft:
        draft.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
