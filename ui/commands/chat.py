"""``haystack-agent chat``: questions and follow-up questions in the terminal, answered by a language model."""

from __future__ import annotations

import contextlib
import sys
from typing import Annotated

import typer

from haystack_agent.answering.modes import AnswerMode
from haystack_agent.asking import Request
from haystack_agent.errors import ModelFailed, UsageError
from ui import filter_check, options
from ui.terminal import model_answers
from ui.terminal.last_results import save
from ui.terminal.render import say

Mode = Annotated[AnswerMode, typer.Option("--mode", help="direct, or agent.")]
_PROMPT = "\n> "


def chat(  # noqa: PLR0913, PLR0917 - the parameters are the options
    mode: Mode = AnswerMode.DIRECT,
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
    index: options.Index = None,
    qdrant_url: options.QdrantUrl = None,
) -> None:
    """Ask one question after another; a follow-up is understood from what was said before. An empty line ends it."""
    if mode is AnswerMode.EXTRACTIVE:
        raise UsageError("chat needs a language model: use --mode direct or agent.")
    model_answers.refuse_places_of_an_agent(top_k, mode)
    chosen = options.make_filters(options.FilterOptions(modality, folder, type_, language, after, before))
    settings = options.settings_for(qdrant_url)
    location = options.location_for(settings, index)
    asked = model_answers.open_chat(settings, model, model_url, mode)
    from haystack_agent.engine import Engine

    with Engine.open(location) as engine:
        for told in filter_check.checked(engine, location, chosen):
            say(told)
        while question := _read():
            try:
                answer = asked.ask(engine, Request(question, top_k, chosen, as_asked))
            except ModelFailed as error:  # one question is lost, not the conversation
                say(f"haystack-agent: {error}")
                continue
            except KeyboardInterrupt:
                typer.echo("\nStopped. Ask again, or end with an empty line.", err=True)
                continue
            with contextlib.suppress(OSError):
                save(settings.data_dir, model_answers.places(answer))


def _read() -> str:
    """The next question; empty at the end."""
    if sys.stdin.isatty():
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401 - gives the line an editor and a history
    try:
        return input(_PROMPT if sys.stdin.isatty() else "").strip()
    except EOFError:
        return ""
