"""The commands that ask: ``search`` and ``ask``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from haystack_agent import places
from haystack_agent.answering.modes import AnswerMode
from haystack_agent.asking import PictureAsked, Quoted, Request, Way, answer_of, stream
from haystack_agent.errors import UsageError
from haystack_agent.records import Answer, Filters
from ui import filter_check, json_output, options, printable
from ui.terminal import model_answers
from ui.terminal.last_results import Place, place_of, save
from ui.terminal.render import say

if TYPE_CHECKING:
    from pathlib import Path

    from haystack_agent.engine import Engine
    from haystack_agent.records import Evidence

Ask = Callable[[str], tuple[json_output.Json, bool]]
"""Takes a question; gives the object to print and whether anything was found."""


Question = Annotated[list[str] | None, typer.Argument(metavar="QUESTION", help="The question; quotes are optional.")]
ImageFile = Annotated[
    str | None, typer.Option("--image", metavar="FILE", help="Search by this picture, alone or with a question.")
]
ImageWeight = Annotated[
    float, typer.Option("--image-weight", min=0.0, max=1.0, help="The picture's share where there is a question too.")
]
Mode = Annotated[AnswerMode, typer.Option("--mode", help="How the answer is made.")]


def search(  # noqa: PLR0913, PLR0917 - the parameters are the options
    question: Question = None,
    image: ImageFile = None,
    image_weight: ImageWeight = 0.5,
    top_k: options.TopK = places.SHOWN,
    modality: options.Modalities = None,
    folder: options.Folders = None,
    type_: options.Types = None,
    language: options.Languages = None,
    after: options.After = None,
    before: options.Before = None,
    as_asked: options.AsAsked = False,
    explain: options.Explain = False,
    batch: options.Batch = None,
    as_json: options.AsJson = False,
    index: options.Index = None,
    qdrant_url: options.QdrantUrl = None,
) -> None:
    """Find the places that answer a question, or that look like a picture."""
    chosen = options.make_filters(options.FilterOptions(modality, folder, type_, language, after, before))
    text = _question(question, batch, required=image is None)
    asked = Request(text, top_k, chosen, as_asked, _picture(image, image_weight))

    def look(engine: Engine, query: str) -> tuple[Evidence, ...]:
        if not query and asked.picture is None:
            return ()
        return model_answers.tell_filters(engine.find(replace(asked, question=query))).evidence

    with _questions(text, batch) as questions, _engine(index, qdrant_url, chosen) as (engine, data_dir):
        if batch is not None or as_json:
            _exit(_print_json(lambda query: _found_object(query, look(engine, query)), questions))
        evidence = look(engine, text)
        _remember(data_dir, [place_of(item) for item in evidence])
    _show_found(evidence, chosen, explain)
    _exit(bool(evidence))


def _found_object(question: str, found: Sequence[Evidence]) -> tuple[json_output.Json, bool]:
    return json_output.search_object(question, found), bool(found)


def _show_found(evidence: Sequence[Evidence], filters: Filters, explain: bool) -> None:
    from ui.terminal import render

    render.show_evidence(evidence, explain)
    if not evidence:
        hint = " with these filters" if filters != Filters() else ""
        typer.echo(f"Nothing found{hint}. `haystack-agent status` says what was read.")


def ask(  # noqa: PLR0913, PLR0917 - the parameters are the options
    question: Question = None,
    mode: Mode = AnswerMode.EXTRACTIVE,
    model: options.Model = None,
    model_url: options.ModelUrl = None,
    top_k: options.TopKUnlessAgent = None,
    modality: options.Modalities = None,
    folder: options.Folders = None,
    type_: options.Types = None,
    language: options.Languages = None,
    after: options.After = None,
    before: options.Before = None,
    as_asked: options.AsAsked = False,
    explain: options.Explain = False,
    batch: options.Batch = None,
    as_json: options.AsJson = False,
    index: options.Index = None,
    qdrant_url: options.QdrantUrl = None,
) -> None:
    """Answer a question and cite the places that the answer stands in."""
    chosen = options.make_filters(options.FilterOptions(modality, folder, type_, language, after, before))
    text = _question(question, batch)
    model_answers.refuse_places_of_an_agent(top_k, mode)
    if explain and mode is not AnswerMode.EXTRACTIVE:
        raise UsageError(
            "--explain goes with the mode extractive: `haystack-agent search --explain` says what is found."
        )
    asked = _Asked(Request(text, top_k, chosen, as_asked), _way(mode, model, model_url), mode)
    with _questions(text, batch) as questions, _engine(index, qdrant_url, chosen) as (engine, data_dir):
        if batch is not None or as_json:
            _exit(_print_json(lambda query: asked.as_object(engine, query), questions))
        if asked.by_model:
            said = model_answers.show(stream(engine, asked.request, asked.way))
            _remember(data_dir, model_answers.places(said))
        else:
            said = asked.answer(engine, text)
            _remember(data_dir, _places(said))
            _show_quoted(said, explain)
    _exit(not said.abstained)


@dataclass(frozen=True, slots=True)
class _Asked:
    """How every question of a command is answered."""

    request: Request
    way: Way
    mode: AnswerMode

    @property
    def by_model(self) -> bool:
        return self.mode is not AnswerMode.EXTRACTIVE

    def answer(self, engine: Engine, question: str) -> Answer:
        steps = stream(engine, replace(self.request, question=question), self.way)
        return answer_of(model_answers.telling_filters(steps))

    def as_object(self, engine: Engine, question: str) -> tuple[json_output.Json, bool]:
        said = self.answer(engine, question) if question else Answer("", "", abstained=True)
        return json_output.answer_object(said, by_model=self.by_model), not said.abstained


def _nearest(said: Answer) -> list[Evidence]:
    return list(said.evidence[:3]) if said.abstained else []


def _places(said: Answer) -> list[Place]:
    cited = [place_of(item.evidence, item.locator, item.quote) for item in said.citations]
    return [*cited, *map(place_of, _nearest(said))]


def _show_quoted(said: Answer, explain: bool) -> None:
    from ui.terminal import render

    if said.listed:
        render.show_list(said, explain)
        return
    render.show_answer(said, explain)
    if nearest := _nearest(said):
        typer.echo("The nearest places:\n")
        render.show_evidence(nearest, explain)


def _way(mode: AnswerMode, model: str | None, model_url: str | None) -> Way:
    if mode is AnswerMode.EXTRACTIVE:
        if model or model_url:
            raise UsageError("--model goes with --mode direct or agent: the mode 'extractive' uses no model.")
        return Quoted()
    return model_answers.open_way(options.settings_for(), model, model_url, mode)


def _exit(found: bool) -> None:
    raise typer.Exit(0 if found else 1)


def _picture(name: str | None, weight: float) -> PictureAsked | None:
    if name is None:
        return None
    from ingest.pixels.query_picture import load_picture

    return PictureAsked(load_picture(printable.path_of(name)), weight)


def _question(words: list[str] | None, batch: str | None, required: bool = True) -> str:
    """The question typed, empty with ``--batch``.

    Raises:
        UsageError: there is none, or one and a batch.
    """
    text = _clean(" ".join(words or ()))
    if batch is not None and text:
        raise UsageError("Give a question or --batch, not both.")
    if batch is None and not text and required:
        raise UsageError("There is no question: type one, or name a file of questions with --batch.")
    return text


def _clean(text: str) -> str:
    """Bytes that are no UTF-8 have no meaning in a question."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace").strip()


@contextmanager
def _engine(index: str | None, qdrant_url: str | None, chosen: Filters) -> Iterator[tuple[Engine, Path]]:
    settings = options.settings_for(qdrant_url)
    location = options.location_for(settings, index)
    from haystack_agent.engine import Engine

    with Engine.open(location) as engine:
        for told in filter_check.checked(engine, location, chosen):
            say(told)
        yield engine, settings.data_dir


def _print_json(answer: Ask, questions: Iterable[str]) -> bool:
    """Print one object for each question; whether anything was found for any."""
    any_found = False
    for question in questions:
        value, found = answer(question)
        json_output.write(value)
        any_found = any_found or found
    return any_found


@contextmanager
def _questions(text: str, batch: str | None) -> Iterator[Iterable[str]]:
    """The one question, or those of a batch as they come in: an empty line too, so that lines out match lines in.

    Raises:
        UsageError: the batch cannot be read.
    """
    if batch is None:
        yield [text]
    elif batch == "-":
        yield map(_decoded, sys.stdin.buffer)
    else:
        try:
            file = open(batch, "rb")  # noqa: PTH123, SIM115 - a name as typed; closed below
            file.peek(1)
        except OSError as error:
            raise UsageError(f"--batch {batch!r} cannot be read: {error.strerror}.") from error
        with file:
            yield map(_decoded, file)


def _decoded(line: bytes) -> str:
    return line.decode("utf-8", "replace").removeprefix("\ufeff").strip()


def _remember(data_dir: Path, places: list[Place]) -> None:
    try:
        save(data_dir, places)
    except OSError as error:
        typer.echo(f"The list is not kept for `haystack-agent open`: {error.strerror}.", err=True)
