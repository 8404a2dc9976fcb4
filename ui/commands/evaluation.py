"""``haystack-agent eval``: run, report, compare."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eval.datasets.dataset import DataSetKind
from eval.runs.names import Condition
from haystack_agent.errors import UsageError
from ui import options, printable
from ui.terminal.render import say

if TYPE_CHECKING:
    from eval.datasets.dataset import DataSet
    from eval.reports.tables import ReportTable
    from eval.runs.execute import Progress
    from eval.runs.run import NamedModel
    from haystack_agent.index_location import IndexLocation
    from haystack_agent.settings import Settings

app = typer.Typer(help="Measure search and answers on questions with known answers.", no_args_is_help=True)
_SYSTEMS = "ours,bm25,dense,rrf,tutorial"

DataPath = Annotated[str, typer.Argument(metavar="DATA", help="A folder with a questions.jsonl, or another data set.")]
RunFolder = Annotated[str | None, typer.Option("--out", metavar="FOLDER", help="Where the run is kept.")]
Kind = Annotated[DataSetKind | None, typer.Option("--kind", help="The data set's layout; guessed if not given.")]
Systems = Annotated[
    str, typer.Option("--systems", help="What is compared, with commas; module:function for a retriever of yours.")
]
Conditions = Annotated[
    list[Condition] | None, typer.Option("--evidence", help="What answers are made from (repeatable).")
]
Prices = Annotated[
    tuple[float, float] | None, typer.Option("--prices", help="Of a million tokens in and out, to report the cost.")
]


@app.command("run")
def run_(  # noqa: PLR0913, PLR0917 - the parameters are the options
    data: DataPath,
    out: RunFolder = None,
    kind: Kind = None,
    systems: Systems = _SYSTEMS,
    evidence: Conditions = None,
    model: options.Model = None,
    model_url: options.ModelUrl = None,
    judge_model: Annotated[str | None, typer.Option("--judge", help="A language model that judges answers.")] = None,
    judge_url: Annotated[str | None, typer.Option("--judge-url", help="Its server, if another.")] = None,
    unanswerable: Annotated[
        bool, typer.Option("--unanswerable", help="Ask 40 household questions too that the files must not answer.")
    ] = False,
    parallel: Annotated[int, typer.Option(min=1, max=64, help="Calls of the model at a time.")] = 4,
    prices: Prices = None,
    index: options.Index = None,
    qdrant_url: options.QdrantUrl = None,
) -> None:
    """Ask every question, and report. Running it again goes on; without --index the files are indexed first."""
    from eval.runs.run import RunOptions, run
    from ingest.draw.drawing import EvidenceRenderer

    _needs("--model", model or judge_model, {"--model-url": model_url})
    _needs("--model", model, {"--prices": prices})
    _needs("--judge", judge_model, {"--judge-url": judge_url})
    settings = options.settings_for(qdrant_url)
    folder = _run_folder(out, data)
    with _progress() as progress:
        chosen = _data_set(printable.path_of(data), kind, folder, progress)
        location = _location(settings, index, folder, chosen, progress)
        asked = RunOptions(
            systems=tuple(name.strip() for name in systems.split(",") if name.strip()),
            conditions=tuple(evidence) if evidence else None,
            unanswerable=unanswerable,
            parallel=parallel,
            prices=prices,
            reader=_model(settings, model, model_url),
            judge=_model(settings, judge_model, judge_url or (None if _says_where(judge_model) else model_url)),
        )
        failures = run(folder, chosen, location, asked, EvidenceRenderer(), progress)
    _tell_failures(failures)
    _report(folder)
    raise typer.Exit(1 if failures else 0)


def _tell_failures(failures: Sequence[str]) -> None:
    for failure in failures[:20]:
        say(failure)
    if failures:
        typer.echo(
            f"{len(failures)} answers are missing and count as wrong: run the same command to try again.", err=True
        )


def _needs(option: str, given: str | None, others: Mapping[str, object]) -> None:
    """Refuse options that would do nothing.

    Raises:
        UsageError: one of `others` is given, and the option that it goes with is not.
    """
    idle = [name for name, value in others.items() if value]
    if given is None and idle:
        raise UsageError(f"{idle[0]} does nothing without {option}: give both, or neither.")


@app.command("make")
def make(  # noqa: PLR0913, PLR0917 - the parameters are the options
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="Where the questions are written.")],
    count: Annotated[int, typer.Option(min=1, max=10_000, help="How many questions.")] = 40,
    seed: Annotated[int, typer.Option(help="Another seed asks about other places.")] = 1,
    ask_in: Annotated[
        list[str] | None, typer.Option("--ask-in", metavar="LANGUAGE", help="With --model: German, Czech (repeatable).")
    ] = None,
    model: options.Model = None,
    model_url: options.ModelUrl = None,
    index: options.Index = None,
    qdrant_url: options.QdrantUrl = None,
) -> None:
    """Write questions about your own files, each answered in one place: from titles, tables and captions, or by a
    language model. Running it again goes on; look through them, then run."""
    from eval.own_questions.make import make_file, root_of
    from eval.own_questions.model import Writer
    from eval.questions import FILE_NAME, FILES_IN
    from haystack_agent.engine import Engine

    _needs("--model", model, {"--ask-in": ask_in, "--model-url": model_url})
    settings = options.settings_for(qdrant_url)
    location = options.location_for(settings, index)
    named = _model(settings, model, model_url)
    writer = Writer(named.model, named.name, tuple(ask_in or ())) if named else None
    out = printable.path_of(folder)
    with Engine.open(location) as engine, _progress() as progress:
        root = root_of(engine)
        outcomes = make_file(
            engine, out, count, seed, writer, lambda made, _: progress("Writing questions", made, count)
        )
    for outcome, number in sorted(outcomes.items()):
        typer.echo(f"{number:6} {outcome}")
    if not (out / FILE_NAME).is_file():
        typer.echo("Nothing in the index could be made a question of: name a language model with --model.")
        raise typer.Exit(1)
    (out / FILES_IN).write_text(f"{root}\n", "utf-8", "surrogateescape")
    shown = printable.line(str(out))
    typer.echo(f"Look through {shown}/questions.jsonl and remove what is silly; then: haystack-agent eval run {shown}")


@app.command("report")
def report(folder: Annotated[str, typer.Argument(metavar="RUN", help="The folder of a run.")]) -> None:
    """Write the report of a run anew, and print its tables."""
    _report(printable.path_of(folder))


@app.command("compare")
def compare(
    first: Annotated[str, typer.Argument(metavar="RUN", help="The folder of a run.")],
    second: Annotated[str, typer.Argument(metavar="RUN", help="The folder of another.")],
) -> None:
    """Say what changed from one run to another, and whether by more than chance."""
    from eval.reports.comparison import comparison
    from eval.runs.outcomes import read_outcomes

    _show(comparison(read_outcomes(printable.path_of(first)), read_outcomes(printable.path_of(second))))


def _report(folder: Path) -> None:
    from eval.reports.tables import tables
    from eval.reports.write import write_report
    from eval.runs.outcomes import read_outcomes
    from ingest.draw.drawing import EvidenceRenderer

    run = read_outcomes(folder)
    _show(tables(run))
    path = write_report(run, folder, EvidenceRenderer())
    typer.echo(f"Report: {printable.line(str(path))} and {printable.line(str(path.with_suffix('.html')))}")


def _show(tables: list[ReportTable]) -> None:
    from eval.reports.markdown import table_text

    for table in tables:
        typer.echo(f"{table.title}\n{printable.line(table.note)}\n\n{printable.text(table_text(table))}\n")


def _run_folder(out: str | None, data: str) -> Path:
    return printable.path_of(out) if out else Path("runs") / f"{printable.path_of(data).resolve().name or 'data'}"


def _data_set(path: Path, kind: DataSetKind | None, folder: Path, progress: Progress) -> DataSet:
    from eval.datasets.opening import open_data_set

    return open_data_set(path, kind, folder / "pool", lambda done, total: progress("Writing files", done, total or 0))


def _location(settings: Settings, index: str | None, folder: Path, data: DataSet, progress: Progress) -> IndexLocation:
    """The index named or, without one, that of the run, made and brought up to date."""
    from dataclasses import replace

    from ingest.indexing import index as make_index

    if index is not None:
        return options.location_for(settings, index)
    location = replace(options.location_for(settings, None), path=(folder / "index").resolve())
    progress("Indexing", 0, 0)
    make_index(location, [data.pool])
    return location


def _says_where(name: str | None) -> bool:
    from haystack_agent.answering.model.choice import says_where

    return name is not None and says_where(name)


def _model(settings: Settings, name: str | None, url: str | None) -> NamedModel | None:
    if name is None:
        return None
    from eval.runs.run import NamedModel
    from ui.terminal.model_answers import opened

    return NamedModel(*opened(settings, name, url, usage=True))


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar on a terminal, nothing elsewhere."""
    from rich.progress import Progress as Bar

    from ui.terminal.render import console

    with Bar(console=console(error=True), transient=True) as bar:
        task = bar.add_task("Starting", total=None)

        def told(label: str, done: int, total: int) -> None:
            bar.update(task, description=label, completed=done, total=total or None)

        yield told
