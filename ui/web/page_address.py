"""Where the page is, with the key to it, and opening it without letting anybody else see the key."""

from __future__ import annotations

import html
import webbrowser
from dataclasses import dataclass
from pathlib import Path

from haystack_agent.system.private_files import write_private

_PAGE = """<!doctype html>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url={address}">
<title>Haystack</title>
<p><a href="{address}">Open the page</a>
"""


@dataclass(frozen=True, slots=True)
class PageAddress:
    """The address of the page; `key` is needed by a browser that is not known yet, where no password is asked for."""

    origin: str
    key: str | None

    def whole(self) -> str:
        """What to open."""
        return f"{self.origin}/?key={self.key}" if self.key else f"{self.origin}/"

    def open(self, path: Path) -> None:
        """Open it in the browser, by way of a file that only the user can read.

        The command line of a browser that is started can be read by every user of the computer.
        """
        if self.key is None:
            webbrowser.open(self.whole())
            return
        write_private(path, _PAGE.format(address=html.escape(self.whole())))
        webbrowser.open(path.absolute().as_uri())
