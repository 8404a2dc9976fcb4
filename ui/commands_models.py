"""``haystack-agent models``: is the language model there, and can it see?"""

from __future__ import annotations

import typer

from ui import options, printable
from ui.downloads import tell_download


def models(model: options.Model = None, model_url: options.ModelUrl = None) -> None:
    """Check that the language model answers and can see: it is shown a picture with a number and asked for it."""
    settings = options.settings_for()
    from haystack_agent.answering.model_check import check_model
    from haystack_agent.answering.models import chosen_model, open_model
    from ui.model_answers import tell_destination

    choice = chosen_model(settings, model, model_url)
    tell_destination(choice, settings.data_dir)
    checkup = check_model(open_model(choice, tell_download), choice.name)
    typer.echo(f"{printable.line(choice.name)} answers, after {checkup.seconds:.1f} s.")
    if checkup.sees:
        typer.echo("It sees: it read the number in the picture.")
        return
    typer.echo(f"It does not see, or not well: {printable.short(checkup.said, 200) or 'it said nothing'}")
    typer.echo("Pages and photos are lost on it; text is not. Choose a model that takes pictures, if you can.")
    raise typer.Exit(1)
