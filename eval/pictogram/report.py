"""Writes `results.md`: the tables, from `results.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from eval.pictogram.measures import MEASURES, Scores, mean
from eval.pictogram.training.features import SEEN_CONCEPTS, TEST
from eval.pictogram.training.heads import SUPERVISED, UCLIP
from eval.pictogram.world.concepts import MEASURED, PAPER_LANGUAGES

NO_PROJECTOR = "no projector"
FOREIGN_WORDS = "English tower, foreign words"
TRANSLATED = "English tower, perfect translation"
_ROWS = (UCLIP, SUPERVISED, FOREIGN_WORDS, NO_PROJECTOR, TRANSLATED)
_SHIPPED = ("clip/*", "text/*", "projector.*")
_TARGET = "t2i@10"

Systems = Mapping[str, Mapping[str, Scores]]
"""System, language, measure to value."""


def write_report(folder: Path, seconds: Mapping[str, float]) -> None:
    """Read `results.json` in a folder and write `results.md` beside it."""
    about = json.loads((folder / "results.json").read_text("utf-8"))
    test: Systems = about["results"][TEST]
    seen: Systems = about["results"][SEEN_CONCEPTS]
    left_out = [name for name in test if name.startswith("without ")]
    size = about["plan"]["gallery"]
    lines = [
        "# The pictogram experiment",
        "",
        _about(about),
        "",
        *_ratios(test),
        "",
        f"## New concepts in new styles, {size} pictures",
        "",
        f"Mean over the paper's languages ({', '.join(PAPER_LANGUAGES)}).",
        "",
        *_table(test, _ROWS, PAPER_LANGUAGES),
        "",
        f"Mean over all {len(MEASURED)} languages.",
        "",
        *_table(test, _ROWS, MEASURED),
        "",
        "One part left out, mean over the paper's languages.",
        "",
        *_table(test, (UCLIP, *left_out), PAPER_LANGUAGES),
        "",
        "Recall@10 from text to image, language by language.",
        "",
        *_languages(test),
        "",
        f"## Concepts seen in training, in new styles, {size} pictures",
        "",
        *_table(seen, _ROWS, PAPER_LANGUAGES),
        "",
        "## Recipes, by validation concepts",
        "",
        *_trials(about["trials"]),
        "",
        "## Time and space",
        "",
        *_costs(folder, seconds),
    ]
    (folder / "results.md").write_text("\n".join(lines) + "\n", "utf-8")


def _about(about: Mapping[str, Any]) -> str:
    concepts = about["concepts"]
    return (
        f"{concepts['training']} emoji for training, {concepts['validation']} to choose recipes by, {concepts['test']} "
        f"to measure with, {len(about['languages'])} languages. Pictures for measuring have grounds and turns that no "
        "training picture has."
    )


def _ratios(test: Systems) -> list[str]:
    means = {name: _mean(test, name, PAPER_LANGUAGES)[_TARGET] for name in test}
    best = max((FOREIGN_WORDS, NO_PROJECTOR), key=lambda name: means[name])
    return [
        f"uCLIP's Recall@10 from text to image is {means[UCLIP]:.3f}: {_share(means[UCLIP], means[SUPERVISED]):.2f} of "
        f"that of heads taught with pairs, {_share(means[UCLIP], means[best]):.1f} times that of the best way without "
        f"uCLIP ({best})."
    ]


def _share(one: float, other: float) -> float:
    return one / other if other else float("inf")


def _mean(systems: Systems, name: str, languages: Sequence[str]) -> Scores:
    return mean([systems[name][language] for language in languages])


def _table(systems: Systems, names: Sequence[str], languages: Sequence[str]) -> list[str]:
    head = [
        "| | text to image R@1 | R@5 | R@10 | image to text R@1 | R@5 | R@10 |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    means = {name: _mean(systems, name, languages) for name in names}
    rows = (f"| {name} | {' | '.join(f'{means[name][one]:.3f}' for one in MEASURES)} |" for name in names)
    return [*head, *rows]


def _languages(systems: Systems) -> list[str]:
    names = _ROWS[:3]
    rows = (
        f"| `{language}` | {' | '.join(f'{systems[name][language][_TARGET]:.3f}' for name in names)} |"
        for language in ("en", *MEASURED)
    )
    return [f"| | {' | '.join(names)} |", "|---|---:|---:|---:|", *rows]


def _trials(trials: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    rows = (
        f"| {kind} | {recipe['retrieval_temperature']} | {recipe['terms']['temperature']} | {recipe['noise']} "
        f"| {trial['score']:.3f} |"
        for kind, tried in trials.items()
        for trial in tried
        for recipe in (trial["recipe"],)
    )
    return ["| | retrieval temperature | temperature | noise | Recall@10 |", "|---|---:|---:|---:|---:|", *rows]


def _costs(folder: Path, seconds: Mapping[str, float]) -> list[str]:
    times = (f"| {name} | {value:.0f} s |" for name, value in seconds.items())
    files = (path for name in _SHIPPED for path in sorted(folder.glob(name)))
    sizes = (f"| `{path.relative_to(folder)}` | {path.stat().st_size / 1e6:.2f} MB |" for path in files)
    return ["| stage, file | |", "|---|---:|", *times, *sizes]
