"""A report as Markdown: the same run gives the same text, however often it was interrupted."""

from __future__ import annotations

import re
from collections.abc import Sequence

from eval.reports.failures import Failure
from eval.reports.tables import ReportTable
from eval.runs.config import RunConfig

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|!~$])")


def markdown(config: RunConfig, tables: Sequence[ReportTable], failures: Sequence[Failure]) -> str:
    """The whole report but for its pictures."""
    parts = [f"# Evaluation of {escaped(config.data_set)}", _head(config)]
    parts += [f"## {table.title}\n\n{escaped(table.note)}\n\n{table_text(table)}" for table in tables]
    if failures:
        parts.append("## Right file not first\n\n" + "\n".join(map(_failure, failures)))
    return "\n\n".join(parts) + "\n"


def _head(config: RunConfig) -> str:
    facts = (
        f"systems: {', '.join(config.systems)}",
        f"reader: {config.reader}",
        f"encoders: {config.profile}",
        ", ".join(f"{name} {number}" for name, number in config.versions),
    )
    return "\n".join(f"- {escaped(fact)}" for fact in facts)


def table_text(table: ReportTable) -> str:
    """A table in the form of GitHub's Markdown."""
    lines = [table.columns, ("---", *["---:"] * (len(table.columns) - 1)), *table.rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return text if text.startswith("---") else escaped(text)


def _failure(failure: Failure) -> str:
    rank = "not found" if failure.rank is None else f"rank {failure.rank}"
    found = failure.found.file if failure.found else "nothing"
    return (
        f"- {escaped(failure.question.id)} ({rank}): {escaped(failure.question.text)} "
        f"Expected {escaped(failure.question.evidence[0])}, found {escaped(found)}."
    )


def escaped(text: str) -> str:
    """Text with nothing in it that Markdown would take for markup: questions and file names are anybody's."""
    plain = " ".join(text.split())
    return re.sub(r"\\`(\w+)\\`", r"`\1`", _SPECIAL.sub(r"\\\1", plain))
