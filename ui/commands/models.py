"""``haystack-agent models``: which language models does a server have, does one answer, and can it see?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from haystack_agent.errors import ModelUnreachable
from ui import options, printable
from ui.terminal import model_answers
from ui.terminal.downloads import tell_download

if TYPE_CHECKING:
    from haystack_agent.answering.model.check import Checkup
    from haystack_agent.answering.model.choice import ModelChoice
    from haystack_agent.answering.model.facts import Offered
    from haystack_agent.settings import Settings


def models(model: options.Model = None, model_url: options.ModelUrl = None) -> None:
    """Check that the language model answers and can see: it is shown a picture with a number and asked for it.

    Without --model, list the models of the server, and check that of the settings.
    """
    settings = options.settings_for()
    from haystack_agent.answering.model.choice import server_address

    url = server_address(model_url) or settings.model_url
    if model is None and url is not None:
        _list(settings, url)
        if settings.model is None:
            return
    _check(settings, model, model_url)


def _list(settings: Settings, url: str) -> None:
    """Say what a server has.

    Raises:
        ModelUnreachable: nothing answers there.
    """
    from haystack_agent.answering.model.choice import ModelChoice
    from haystack_agent.answering.model.server import State, ask_server
    from haystack_agent.answering.model.url import shown

    server = ask_server(url, ModelChoice("", url, settings.model_api_key))
    place = printable.line(shown(server.url))
    if server.state is State.SILENT:
        raise ModelUnreachable(f"Nothing answers at {place}: is the server running, and --model-url right?")
    if server.state is State.STRANGE:
        raise ModelUnreachable(
            f"What answers at {place} is too large, or of no known form: is --model-url that of a chat server?"
        )
    if server.state is State.LOADING:
        raise ModelUnreachable(f"{place} is still loading its model: try again in a moment.")
    if not server.models:
        typer.echo(f"{place} does not say which models it has: name one with --model.")
        return
    typer.echo(f"{place} has:")
    for one in server.models:
        typer.echo(f"  {printable.short(one.name, 200)}{_facts(one)}")


def _check(settings: Settings, model: str | None, url: str | None) -> None:
    from haystack_agent.answering.model.check import check_model
    from haystack_agent.answering.model.choice import chosen_model, open_model

    heard = model_answers.heard_of(chosen_model(settings, model, url), settings.data_dir)
    checkup = check_model(open_model(heard.choice, tell_download, heard.profile), heard.choice.name)
    _tell(heard.choice, heard.offered, checkup)
    if not checkup.sees:
        raise typer.Exit(1)


def _tell(choice: ModelChoice, offered: Offered | None, checkup: Checkup) -> None:
    typer.echo(f"{printable.line(choice.name)} answers, after {checkup.seconds:.1f} s.")
    if offered is not None and offered.context is not None:
        own = choice.context
        typer.echo(f"It reads {own or offered.context} tokens at once" + (", by model_context." if own else "."))
    if offered is not None and offered.uses_tools is False:
        typer.echo("It uses no tools: in --mode agent it is given the best places instead.")
    if checkup.sees:
        typer.echo("It sees: it read the number in the picture.")
        return
    typer.echo(f"It does not see, or not well: {printable.short(checkup.said, 200) or 'it said nothing'}")
    typer.echo("Pages and photos are lost on it; text is not. Choose a model that takes pictures, if you can.")


def _facts(model: Offered) -> str:
    """What is known of a model, in brackets."""
    facts = [f"{model.context} tokens"] if model.context is not None else []
    if model.sees is not None:
        facts.append("sees" if model.sees else "text alone")
    if model.uses_tools is not None:
        facts.append("uses tools" if model.uses_tools else "no tools")
    return f"   ({', '.join(facts)})" if facts else ""
