"""The command line: ``haystack-agent``. Exit codes: 0 done, 1 nothing found or some files failed, 2 wrong usage,
3 could not do it, 130 stopped by Ctrl-C."""

from __future__ import annotations

import io
import os
import sys
import tempfile
import traceback
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from haystack_agent.errors import HaystackError, UsageError
from haystack_agent.system.private_files import make_folder, only_mine
from ui import printable
from ui.commands import chat as commands_chat
from ui.commands import evaluation as commands_eval
from ui.commands import index as commands_index
from ui.commands import mcp as commands_mcp
from ui.commands import models as commands_models
from ui.commands import open as commands_open
from ui.commands import query as commands_query
from ui.commands import uclip as commands_uclip
from ui.commands import web as commands_web

LOG_NAME = "haystack-agent.log"
_LOG_BYTES = 1_000_000
_HELP = "Ask your own documents, pictures and videos, in any language, and get short answers that cite the place."


class _Group(TyperGroup):
    """Runs a command; whatever goes wrong becomes one line and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command of the context."""
        try:
            return self._invoke_and_flush(ctx)
        except (typer.Exit, typer.Abort, TyperException):
            raise
        except KeyboardInterrupt:
            raise _ended("Stopped.", 130) from None
        except BrokenPipeError:
            # Whoever read the output has seen enough; Python must not try to flush the rest at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        except UsageError as error:
            raise _ended(f"haystack-agent: {printable.line(str(error))}", 2) from error
        except HaystackError as error:
            raise _ended(f"haystack-agent: {printable.line(str(error))}", 3) from error
        except Exception as error:
            # The process boundary: no traceback reaches a user.
            raise _ended(f"haystack-agent: {_unexpected(error)}", 3) from error

    def _invoke_and_flush(self, ctx: Any) -> Any:
        try:
            with only_mine():
                return super().invoke(ctx)
        finally:
            # A pipe that nobody reads any more must show here, not when Python exits.
            sys.stdout.flush()


def _ended(message: str, code: int) -> typer.Exit:
    from ui.terminal.render import say

    say(message)
    return typer.Exit(code)


def _unexpected(error: Exception) -> str:
    """Log what nobody thought of; one line that says where."""
    what = printable.short(f"{type(error).__name__}: {error}", 200)
    try:
        return f"{what} (an unexpected error; details: {_log(error)})"
    except OSError as full:
        return f"{what} (an unexpected error; the details could not be logged: {full.strerror})"


def _log(error: Exception) -> Path:
    from haystack_agent.settings import load_settings

    try:
        folder = load_settings().data_dir
        make_folder(folder)
    except (HaystackError, OSError):
        folder = Path(tempfile.gettempdir())
    path = folder / LOG_NAME
    mode = "w" if path.exists() and path.stat().st_size > _LOG_BYTES else "a"
    with path.open(mode, encoding="utf-8", errors="backslashreplace") as log:
        log.write(f"{datetime.now().astimezone().isoformat(timespec='seconds')}\n")
        log.writelines(traceback.format_exception(error))
    return path


app = typer.Typer(
    cls=_Group,
    help=_HELP,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"haystack-agent {version('haystack-agent')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


app.command("index")(commands_index.index)
app.command("search")(commands_query.search)
app.command("ask")(commands_query.ask)
app.command("chat")(commands_chat.chat)
app.command("open")(commands_open.open_)
app.command("ui")(commands_web.ui)
app.command("status")(commands_index.status)
app.command("forget")(commands_index.forget)
app.command("models")(commands_models.models)
app.command("mcp")(commands_mcp.mcp)
app.add_typer(commands_uclip.app, name="uclip")
app.add_typer(commands_eval.app, name="eval")


def main() -> None:
    """Run the command line and exit."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a letter gets its escape, not a traceback.
            stream.reconfigure(errors="backslashreplace")
    app(prog_name="haystack-agent")


if __name__ == "__main__":
    main()
