"""A conversation as Markdown, with links to the files that were cited."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from ui import printable
from ui.web.state.conversation_store import KeptTurn, StoredConversation, unanswered

_SPECIAL = re.compile(
    r"[\\`*_{}\[\]<>()#+!|~&$-]"  # anywhere
    r"|(?<=\w):(?=/)|(?<=www)\.|@"  # in an address, which readers make a link of
    r"|^=",  # at the start of a line: the line under a heading
    re.IGNORECASE | re.MULTILINE,
)
_COUNTED = re.compile(r"^(\d{1,9})(?=\.)", re.MULTILINE)
"""A number that begins a list."""


def as_markdown(conversation: StoredConversation, with_links: bool) -> str:
    """The conversation; `with_links` adds addresses of files, which mean something on this machine only."""
    parts = [f"# {_plain(conversation.title)}"]
    for turn in conversation.turns:
        parts += _turn(turn, with_links)
    return "\n\n".join(parts) + "\n"


def _turn(turn: KeptTurn, with_links: bool) -> list[str]:
    when = datetime.fromtimestamp(turn.asked).astimezone().strftime("%Y-%m-%d %H:%M")
    parts = [f"## {_plain(turn.question)}", f"{when}, {_plain(turn.mode)}", _lines(_said(turn.answer or unanswered()))]
    parts += [f"> {_plain(str(note))}" for note in turn.answer.get("notes", [])]
    cards = {card["n"]: card for card in turn.cards}
    for citation in turn.answer.get("citations", []):
        card = cards.get(citation["n"])
        if card is not None:
            parts.append(_citation(citation, card, with_links))
    return parts


def _said(answer: Mapping[str, Any]) -> str:
    return str(answer.get("text") or answer.get("error", ""))


def _citation(citation: Mapping[str, Any], card: Mapping[str, Any], with_links: bool) -> str:
    name = _plain(", ".join(filter(None, (str(card["name"]), str(citation.get("place", ""))))))
    quote = f": “{_plain(str(citation['quote']))}”" if citation.get("quote") else ""
    if not with_links:
        return f"{citation['n']}. {name}{quote}"
    return f"{citation['n']}. [{name}](<{_address(card, citation)}>){quote}"


def _address(card: Mapping[str, Any], citation: Mapping[str, Any]) -> str:
    address = (Path(str(card["folder"])) / str(card["name"])).absolute().as_uri()
    if citation.get("start") is not None:
        return f"{address}#t={float(citation['start']):g}"
    return f"{address}#page={citation['page']}" if citation.get("page") else address


def _plain(text: str) -> str:
    """Text on one line that Markdown shows as it is."""
    return _escaped(printable.line(text))


def _lines(text: str) -> str:
    """The same of several lines, not indented: indented ones are code."""
    lines = (line.strip() for line in printable.text(text).split("\n"))
    return _escaped("\n".join(lines))


def _escaped(text: str) -> str:
    return _COUNTED.sub(r"\1\\", _SPECIAL.sub(r"\\\g<0>", text))
