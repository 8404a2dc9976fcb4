"""``ask`` with a language model: the model opened, its answer shown while it is written, its citations after it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.text import Text

from haystack_agent.answering.events import Done, Status, Token, ToolCalled
from haystack_agent.answering.modes import AnswerMode
from haystack_agent.asking import Found, Request, Step, Way, stream
from haystack_agent.errors import UsageError
from haystack_agent.records import Answer, Citation, Evidence
from ui import printable
from ui.filter_words import described
from ui.terminal.downloads import tell_download
from ui.terminal.last_results import Place, place_of
from ui.terminal.margin import Margin
from ui.terminal.render import QUOTE, console, heading, put, say

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from haystack_agent.answering.conversation import Conversation
    from haystack_agent.answering.model.choice import ModelChoice
    from haystack_agent.answering.model.server import Heard
    from haystack_agent.engine import Engine
    from haystack_agent.settings import Settings

_TOLD = "told_destinations.txt"


def open_way(settings: Settings, model: str | None, url: str | None, mode: AnswerMode) -> Way:
    """The way to an answer by the model named; who gets what is told before the first time.

    Raises:
        UsageError: no model is named, or it cannot be used.
        ModelUnavailable: a local one cannot be loaded.
    """
    return way_of(*opened(settings, model, url), mode)


def way_of(model: BaseChatModel, name: str, mode: AnswerMode) -> Way:
    """The way to an answer by an open model: with one call, or as an agent."""
    from ingest.draw.drawing import EvidenceRenderer

    if mode is AnswerMode.AGENT:
        from haystack_agent.answering.langchain_agent import AgentReader

        return AgentReader(model, name, EvidenceRenderer())
    from haystack_agent.answering.direct import DirectReader

    return DirectReader(model, name, EvidenceRenderer())


def refuse_places_of_an_agent(top_k: int | None, mode: AnswerMode) -> None:
    """Refuse a number of places for an agent.

    Raises:
        UsageError: it searches as often as it needs.
    """
    if mode is AnswerMode.AGENT and top_k is not None:
        raise UsageError("--top-k goes with the modes extractive and direct: an agent searches as often as it needs.")


def open_chat(settings: Settings, model: str | None, url: str | None, mode: AnswerMode) -> Chat:
    """The same as `open_way`, for one question after another."""
    from haystack_agent.answering.conversation import Conversation

    chosen, name = opened(settings, model, url)
    return Chat(way_of(chosen, name, mode), Conversation(chosen, name))


class Chat:
    """Questions that may refer to those before."""

    def __init__(self, way: Way, conversation: Conversation) -> None:
        self._way = way
        self._conversation = conversation

    def ask(self, engine: Engine, request: Request) -> Answer:
        """Show and return the answer to the next question.

        Raises:
            ModelFailed: the model does not answer.
        """
        return show(self._kept(stream(engine, request, self._way, self._conversation)))

    def _kept(self, steps: Iterator[Step]) -> Iterator[Step]:
        question = ""
        for step in steps:
            if isinstance(step, Found):
                question = step.asked.understood.question
            elif isinstance(step, Done):
                self._conversation.keep(question, step.answer)
            yield step


def tell_filters(found: Found) -> Found:
    """Say which filters were taken from the question, and give what was found back."""
    if found.narrowed:
        typer.echo(
            f"Only {printable.line(described(found.filters))}, as the question says (everything: --as-asked).", err=True
        )
    return found


def telling_filters(steps: Iterator[Step]) -> Iterator[Step]:
    """The steps of an answer; how its question was understood is told before the first words of the answer."""
    found: Found | None = None
    for step in steps:
        if isinstance(step, Found):
            found = step
        elif found is not None and not isinstance(step, Status):
            _tell_understood(found)
            found = None
        yield step


def _tell_understood(found: Found) -> None:
    understood = found.asked.understood
    if understood.question != found.asked.request.question:
        say(f"Understood as: {understood.question}")
    if understood.parts:
        say(f"In parts: {' | '.join(understood.parts)}")
    tell_filters(found)


def opened(settings: Settings, model: str | None, url: str | None, usage: bool = False) -> tuple[BaseChatModel, str]:
    """The model of the options, and the name of that which answers; where something goes to another machine, a line
    says so once."""
    from haystack_agent.answering.model.choice import chosen_model, open_model

    heard = heard_of(replace(chosen_model(settings, model, url), usage=usage), settings.data_dir)
    return open_model(heard.choice, tell_download, heard.profile), heard.choice.name


def heard_of(choice: ModelChoice, data_dir: Path) -> Heard:
    """What the server of a model says of it, and what the user should know of that, told."""
    from haystack_agent.answering.model.server import hear

    tell_destination(choice, data_dir)
    heard = hear(choice, tell)
    for remark in heard.remarks:
        tell(remark)
    return heard


def tell(text: str) -> None:
    """A line that is not part of an answer."""
    say(text)


def tell_destination(choice: ModelChoice, data_dir: Path) -> None:
    """Say, before the first time, that something leaves this machine."""
    destination = choice.destination
    if destination is None:
        return
    path = data_dir / _TOLD
    told = path.read_text("utf-8").splitlines() if path.is_file() else []
    if destination not in told:
        typer.echo(
            f"Your questions, and the text and pictures of the places found for them, are sent to "
            f"{printable.line(destination)}. This is said once.",
            err=True,
        )
        data_dir.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([*told, destination]) + "\n", "utf-8")


def show(steps: Iterator[Step]) -> Answer:
    """Print an answer while it is written; what is being done goes to standard error where a person watches."""
    watched = sys.stderr.isatty()
    margin, told = _margin(), set[str]()
    written = False
    for event in _with_line_end(telling_filters(steps), margin):
        match event:
            case Status(text):
                if watched or text.endswith("."):  # a sentence is news, the rest is patience
                    say(text)
                    told.add(text)
            case ToolCalled(name, arguments):
                if margin.begun:
                    margin.end_line()
                say(printable.short(f"{name}: {arguments}", 200))
                written = False
            case Token(text):
                written = written or bool(text.strip())
                margin.write(text if written else "")
            case Done(answer):
                if not written:
                    margin.write(answer.text)
                unsaid = [note for note in dict.fromkeys(answer.notes) if note not in told]
                margin.end_line()
                _show_rest(replace(answer, notes=tuple(unsaid)))
                return answer
    raise AssertionError("a stream ends with Done")


def _margin() -> Margin:
    out = console()
    return Margin(sys.stdout, out.width if out.is_terminal else None)


def _with_line_end(events: Iterator[Step], margin: Margin) -> Iterator[Step]:
    """The events; where they break off in the middle of an answer, what follows it begins on a line of its own."""
    try:
        yield from events
    except BaseException:
        if margin.begun:
            margin.end_line()
        raise


def places(answer: Answer) -> list[Place]:
    """The evidence in the order of its numbers, each at the narrowest place that is known."""
    cited = {citation.evidence.piece.id: citation for citation in answer.citations}
    return [_place(one, cited.get(one.piece.id)) for one in answer.evidence]


def _place(evidence: Evidence, citation: Citation | None) -> Place:
    return place_of(evidence, citation.locator, citation.quote) if citation else place_of(evidence)


def _show_rest(answer: Answer) -> None:
    """What follows the words of the model: citations, and what to know about the answer."""
    out = console()
    out.print()
    for note in answer.notes:
        put(out, Text(printable.line(note), style="yellow"))
    numbers = _numbers(answer.evidence)
    for citation in answer.citations:
        heading(out, numbers[citation.evidence.piece.id], citation.evidence, citation.locator)
        if citation.quote:
            doubt = "" if citation.verified else "   (not found in its text: unverified)"
            put(out, Text(f"    “{printable.short(citation.quote, QUOTE)}”{doubt}"))
        out.print()


def _numbers(evidence: Sequence[Evidence]) -> dict[str, int]:
    return {one.piece.id: number for number, one in enumerate(evidence, start=1)}
