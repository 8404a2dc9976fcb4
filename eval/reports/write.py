"""Writing a run's report: ``report.md``, and ``report.html`` with plots and thumbnails, both in its folder."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from eval.measures.ranking import trec_qrels, trec_run
from eval.reports.failures import Failure, failures, thumbnails
from eval.reports.markdown import markdown
from eval.reports.plots import plots
from eval.reports.tables import ReportTable, tables
from eval.runs.outcomes import Outcomes
from haystack_agent.answering.pictures import Renderer

_SHOWN = 40
"""Failures with pictures in the HTML."""


def write_report(run: Outcomes, folder: Path, renderer: Renderer) -> Path:
    """Write everything anew; the path of the Markdown."""
    made, failed = tables(run), failures(run)
    (folder / "report.md").write_text(markdown(run.config, made, failed), "utf-8", "surrogatepass")
    names = thumbnails(failed[:_SHOWN], Path(run.config.pool), renderer, folder / "thumbnails")
    pictures = {
        key: base64.b64encode((folder / "thumbnails" / name).read_bytes()).decode("ascii")
        for key, name in names.items()
    }
    page = _html(run, made, failed[:_SHOWN], pictures)
    (folder / "report.html").write_text(page, "utf-8", "xmlcharrefreplace")
    for system in run.config.systems:
        (folder / f"{_plain(system)}.run").write_text(trec_run(run.rankings(system), system), "utf-8", "surrogatepass")
    (folder / "qrels.txt").write_text(trec_qrels(run.relevant), "utf-8", "surrogatepass")
    return folder / "report.md"


def _html(
    run: Outcomes, made: Sequence[ReportTable], failed: Sequence[Failure], pictures: Mapping[tuple[str, str], str]
) -> str:
    from jinja2 import Environment
    from markupsafe import Markup

    source = files("eval.reports").joinpath("report.html.jinja").read_text("utf-8")
    template = Environment(autoescape=True).from_string(source)
    # Plots are ours: the names in them were escaped when they were drawn.
    drawn = {title: Markup(svg) for title, svg in plots(run).items()}  # noqa: S704
    return template.render(config=run.config, tables=made, failures=failed, pictures=pictures, plots=drawn)


def _plain(name: str) -> str:
    return "".join(char if char.isalnum() or char in "-_." else "_" for char in name)
