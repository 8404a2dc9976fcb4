"""What people see: evidence, answers, status and progress. File names and texts are hostile and never interpreted."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import PurePath
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from haystack_agent.media import clock, place_name
from haystack_agent.records import Answer, Evidence, Locator
from ui import printable
from ui.terminal.cells import folded

if TYPE_CHECKING:
    from ingest.record.progress import FileCounts, IndexProgress, IndexReport, IndexStatus, KeptFolder, Problem

SNIPPET = 280
QUOTE = 1000
PROBLEMS_SHOWN = 20
HANG = 8
"""Cells; deeper than any line of our own begins."""


class _PipeConsole(Console):
    def on_broken_pipe(self) -> None:
        """Leave a pipe that nobody reads any more to the command line, instead of exiting with an error."""
        raise  # noqa: PLE0704 - rich calls this while it handles the BrokenPipeError


def console(error: bool = False) -> Console:
    """A console that takes text as it is; lines are not folded where no person reads them."""
    stream = sys.stderr if error else sys.stdout
    made = _PipeConsole(file=stream, markup=False, emoji=False, highlight=False)
    made.soft_wrap = not made.is_terminal
    return made


def put(out: Console, text: Text) -> None:
    """Print one line; where it is longer than the terminal is wide, the rest hangs below it.

    So nothing in it, of whatever file or model, can pass for a line of its own.
    """
    if not out.is_terminal:
        out.print(text)
        return
    for number, (start, end) in enumerate(folded(text.plain, out.width, HANG)):
        line = Text(" " * HANG if number else "") + text[start:end]
        out.print(line, no_wrap=True, overflow="ignore", crop=False)


def say(text: str) -> None:
    """One line to standard error."""
    put(console(error=True), Text(printable.line(text)))


def place_text(item: Evidence, locator: Locator) -> str:
    """A place in the file of evidence as people say it: ``invoice.pdf, page 2`` or ``clip.mp4, 0:17-0:21``."""
    name = printable.name(PurePath(item.paths[0]).name)
    place = place_name(locator, item.piece.meta.media_type)
    return f"{name}, {place}" if place else name


def show_evidence(evidence: Sequence[Evidence], explain: bool) -> None:
    """Numbered evidence: place, path, why it matched, snippet."""
    out = console()
    for number, item in enumerate(evidence, start=1):
        words = _matched_words(item)
        heading(out, number, item, item.piece.locator)
        put(out, Text("    " + (_why(item, words) or ""), style="dim"))
        snippet = printable.around(item.piece.text, words, SNIPPET)
        if snippet:
            put(out, Text("    " + snippet))
        if explain:
            _explain(out, item)
        out.print()


def show_answer(answer: Answer, explain: bool) -> None:
    """The answer, then its citations; where there is no answer, the nearest places."""
    out = console()
    put(out, Text(printable.line(answer.text), style="" if answer.abstained else "bold"))
    out.print()
    for number, citation in enumerate(answer.citations, start=1):
        heading(out, number, citation.evidence, citation.locator)
        put(out, Text(f"    “{printable.short(citation.quote, QUOTE)}”"))
        if explain:
            _explain(out, citation.evidence)
        out.print()


def show_list(answer: Answer, explain: bool) -> None:
    """What is said of the places found, then these."""
    out = console()
    put(out, Text(printable.line(answer.text), style="bold"))
    out.print()
    show_evidence([citation.evidence for citation in answer.citations], explain)


def heading(out: Console, number: int, item: Evidence, locator: Locator) -> None:
    """Number, place and path of evidence."""
    path = item.paths[0]
    put(out, Text(f"[{number}] ", style="cyan") + Text(place_text(item, locator), style="bold"))
    put(out, Text(f"    {printable.name(path)}", style="dim"))


def _matched_words(item: Evidence) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for match in item.matches for word in match.words))


def _why(item: Evidence, words: Sequence[str]) -> str:
    reasons = [f"words: {', '.join(map(printable.line, words))}"] if words else []
    if any(match.vector == "text" for match in item.matches):
        reasons.append("similar meaning")
    return "; ".join(reasons)


def _explain(out: Console, item: Evidence) -> None:
    lines = [f"score {item.score:.4f}, {item.piece.kind.value}, language {item.piece.language or 'unknown'}"]
    for match in item.matches:
        words = f", words: {', '.join(map(printable.line, match.words))}" if match.words else ""
        lines.append(f"{match.vector}: rank {match.rank}, score {match.score:.4f}{words}")
    for line in lines:
        put(out, Text(f"      {line}", style="dim"))


def show_status(status: IndexStatus, index: str, notes: Sequence[str], everything: bool) -> None:
    """What is in the index, what is not and why."""
    out = console()
    rows = [("Index", index), *(("Folder", folder) for folder in status.roots)]
    for label, value in rows:
        put(out, Text(f"{label:<8} {printable.name(value)}"))
    put(out, Text(f"Files    {_counts(status.counts)}"))
    if status.kept:
        put(out, Text(f"Kept     {_kept(status.kept)}", style="yellow"))
    put(out, Text(f"Pieces   {status.pieces}"))
    put(out, Text(f"Profile  {printable.line(status.profile or 'none yet')}"))
    _show_vectors(out, status)
    for note in notes:
        put(out, Text(f"Note     {printable.line(note)}", style="yellow"))
    show_problems(out, status.problems, everything)


def _show_vectors(out: Console, status: IndexStatus) -> None:
    vectors = status.vectors
    if vectors.server is not None:
        place = f"{vectors.server}, collection {vectors.collection}"
        put(out, Text(f"Vectors  {printable.line(place)}"))
    if vectors.problem is not None:
        put(out, Text(f"Vectors  {printable.line(vectors.problem)}", style="red"))
    if status.unremoved:
        put(out, Text(f"Removing {status.unremoved} not done yet: run index, or forget again", style="yellow"))


def _counts(counts: FileCounts) -> str:
    return f"{counts.indexed} indexed, {counts.failed} failed, {counts.skipped} skipped"


def _kept(kept: Sequence[KeptFolder]) -> str:
    """How many files are not where they were, in how many folders; the folders are among the problems."""
    files, folders = sum(folder.files for folder in kept), len(kept)
    where = "a folder that lost all its files" if folders == 1 else f"{folders} folders that lost all their files"
    return f"{files} {'file' if files == 1 else 'files'} of {where}"


_STATES = {"indexed": "in part"}


def show_problems(out: Console, problems: Sequence[Problem], everything: bool) -> None:
    """Files that were not read, or not wholly, with the reason: failures first."""
    order = {"failed": 0, "indexed": 1, "skipped": 2}
    ranked = sorted(problems, key=lambda problem: (order.get(problem.state, 3), problem.path))
    shown = ranked if everything else ranked[:PROBLEMS_SHOWN]
    for problem in shown:
        state = _STATES.get(problem.state, problem.state)
        style = "red" if problem.state == "failed" else "yellow"
        line = Text(f"{state:<8} ", style=style) + Text(
            f"{printable.name(problem.path)}: {printable.line(problem.reason)}"
        )
        put(out, line)
    if len(shown) < len(ranked):
        put(out, Text(f"... and {len(ranked) - len(shown)} more: haystack-agent status --all", style="dim"))


def show_report(report: IndexReport) -> None:
    """The result of indexing."""
    out = console()
    show_problems(out, report.problems, everything=False)
    changes = (("read", report.read), ("moved", report.moved), ("removed", report.removed))
    what = ", ".join(f"{count} {word}" for word, count in changes if count) or "nothing new"
    if report.kept:
        what += f", kept {_kept(report.kept)}"
    put(out, Text(f"{_counts(report.counts)} ({what}); {report.pieces} pieces; {report.seconds:.1f} s", style="bold"))


@contextmanager
def progress_bar() -> Iterator[Callable[[IndexProgress], None] | None]:
    """A progress bar on standard error, or nothing where no person watches."""
    out = console(error=True)
    if not out.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[facts]}", markup=False),
    )
    with Progress(*columns, console=out, transient=True) as progress:
        task = progress.add_task("Looking for files", total=None, facts="")

        def tell(state: IndexProgress) -> None:
            words = {"find": "Looking for files", "hash": "Checking files", "read": "Reading"}
            progress.update(
                task,
                description=words[state.phase.value],
                completed=state.files_done,
                total=state.files_total or None,
                facts=_facts(state),
            )

        yield tell


def _facts(state: IndexProgress) -> str:
    facts = [f"{state.pieces} pieces"] if state.pieces else []
    if state.files_done and state.elapsed > 1:
        facts.append(f"{state.files_done / state.elapsed:.1f} files/s")
    if state.failed:
        facts.append(f"{state.failed} failed")
    if state.left is not None:
        facts.append(f"{clock(state.left)} left")
    if state.current:
        facts.append(printable.short(printable.name(PurePath(state.current[0]).name), 40))
    return ", ".join(facts)
