"""Plots of a report, as SVG."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any

from eval.measures.ranking import RankingMeasure
from eval.measures.resampling import bootstrap
from eval.runs.outcomes import Outcomes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOURS = ("#2f5d8a", "#c8773a", "#6a9a5b", "#8c6bb1", "#7f7f7f", "#b5544d")
_SETTINGS: dict[Any, Any] = {"svg.hashsalt": "haystack-agent", "svg.fonttype": "none", "font.size": 9}


def plots(run: Outcomes) -> dict[str, str]:
    """SVG text by title."""
    made = {"Recall@1 by modality": _svg(lambda figure: _by_modality(figure, run))}
    if any(run.answers.values()):
        made["Right answers by evidence given"] = _svg(lambda figure: _by_condition(figure, run))
    if any(run.seconds.values()):
        made["Seconds a search took"] = _svg(lambda figure: _latency(figure, run.seconds))
    return made


def over_size(curves: Mapping[str, Sequence[tuple[int, float]]], label: str) -> str:
    """A line for each name over the size of the pool, as SVG."""

    def draw(figure: Figure) -> None:
        axes = _axes(figure)
        for number, (name, points) in enumerate(curves.items()):
            sizes, values = zip(*points, strict=True)
            axes.plot(sizes, values, marker="o", label=name, color=_COLOURS[number % len(_COLOURS)])
        axes.set(xscale="log", xlabel="files in the pool", ylabel=label)
        axes.set_xticks([size for size, _ in next(iter(curves.values()))])
        axes.get_xaxis().set_major_formatter("{x:,.0f}")
        axes.minorticks_off()
        axes.legend(frameon=False)

    return _svg(draw)


def _svg(draw: Callable[[Figure], None]) -> str:
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_SETTINGS):
        figure = Figure(figsize=(6.4, 3.2), layout="constrained")
        draw(figure)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    return text[text.index("<svg") :]


def _axes(figure: Figure) -> Any:
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.3)
    return axes


def _by_modality(figure: Figure, run: Outcomes) -> None:
    modalities = sorted({one.modality for one in run.answerable.values()})
    axes = _axes(figure)
    width = 0.8 / len(run.config.systems)
    for number, system in enumerate(run.config.systems):
        scores = run.scores(system)[RankingMeasure.RECALL_1]
        means = [
            fmean([scores[key] for key, one in run.answerable.items() if one.modality == modality])
            for modality in modalities
        ]
        left = [place + (number + 0.5) * width - 0.4 for place in range(len(modalities))]
        axes.bar(left, means, width * 0.92, label=system, color=_COLOURS[number % len(_COLOURS)])
    axes.set_xticks(range(len(modalities)), [one or "all" for one in modalities])
    axes.set(ylim=(0, 1), ylabel="Recall@1")
    axes.legend(frameon=False, ncols=3, fontsize=8)


def _by_condition(figure: Figure, run: Outcomes) -> None:
    keys = [key for key, one in run.answerable.items() if one.answers]
    axes = _axes(figure)
    means = [
        bootstrap([float(run.rule_verdict(condition, key).right) for key in keys])
        for condition in run.config.conditions
    ]
    errors = [[one.mean - one.low for one in means], [one.high - one.mean for one in means]]
    names = [condition.value for condition in run.config.conditions]
    axes.bar(names, [one.mean for one in means], 0.6, color=_COLOURS[0], yerr=errors, capsize=3)
    axes.set(ylim=(0, 1), ylabel="share right, 95 % interval")


def _latency(figure: Figure, seconds: Mapping[str, Sequence[float]]) -> None:
    axes = _axes(figure)
    for number, (system, values) in enumerate(seconds.items()):
        if values:
            ordered = sorted(value * 1000 for value in values)
            shares = [(place + 1) / len(ordered) for place in range(len(ordered))]
            axes.step(ordered, shares, where="post", label=system, color=_COLOURS[number % len(_COLOURS)])
    axes.set(xscale="log", xlabel="milliseconds", ylabel="share of searches", ylim=(0, 1))
    axes.legend(frameon=False, fontsize=8)
