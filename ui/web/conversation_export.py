"""A conversation as Markdown, with links to the files that were cited."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from ui.web.conversation_store import StoredConversation, Turn, unanswered

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~&-])")


def as_markdown(conversation: StoredConversation, with_links: bool) -> str:
    """The conversation; `with_links` adds addresses of files, which mean something on this machine only."""
    parts = [f"# {_plain(conversation.title)}"]
    for turn in conversation.turns:
        parts += _turn(turn, with_links)
    return "\n\n".join(parts) + "\n"


def _turn(turn: Turn, with_links: bool) -> list[str]:
    when = datetime.fromtimestamp(turn.asked).astimezone().strftime("%Y-%m-%d %H:%M")
    parts = [f"## {_plain(turn.question)}", f"{when}, {_plain(turn.mode)}", _plain(_said(turn.answer or unanswered()))]
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
    """Text that Markdown shows as it is."""
    return _SPECIAL.sub(r"\\\1", text)
