"""Two runs side by side: what changed, and whether by more than chance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from eval.measures.ranking import RankingMeasure
from eval.measures.resampling import Difference, compare
from eval.reports.tables import ReportTable
from eval.runs.outcomes import Outcomes
from haystack_agent.errors import UsageError


def comparison(first: Outcomes, second: Outcomes) -> list[ReportTable]:
    """Second minus first, for every system and condition that both have, on the questions that both asked.

    Raises:
        UsageError: they have no questions in common, or asked the same ids something else.
    """
    keys = sorted(first.answerable.keys() & second.answerable.keys())
    if not keys:
        raise UsageError("The two runs have no questions in common: compare runs on the same data set.")
    changed = [key for key in keys if first.questions[key].text != second.questions[key].text]
    if changed:
        raise UsageError(f"The question {changed[0]} is another one in the second run: compare runs on the same data.")
    note = f"Second minus first on {len(keys)} questions; 95 % bootstrap interval, paired randomisation test."
    columns = ("first", "second", "difference", "p")
    made = [
        ReportTable("Retrieval", note, ("system and measure", *columns), tuple(_retrieval(first, second, keys))),
        ReportTable("Right answers", note, ("evidence", *columns), tuple(_answers(first, second, keys))),
    ]
    return [table for table in made if table.rows]


def _retrieval(first: Outcomes, second: Outcomes, keys: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for system in first.config.systems:
        if system not in second.config.systems:
            continue
        before, after = first.scores(system), second.scores(system)
        for measure in RankingMeasure:
            pair = [[scores[measure][key] for key in keys] for scores in (before, after)]
            yield _row(f"{system}, {measure.value}", pair)


def _answers(first: Outcomes, second: Outcomes, keys: Sequence[str]) -> Iterator[tuple[str, ...]]:
    asked = [key for key in keys if first.questions[key].answers]
    for condition in first.config.conditions:
        if condition in second.config.conditions and asked:
            pair = [[float(run.rule_verdict(condition, key).right) for key in asked] for run in (first, second)]
            yield _row(condition.value, pair)


def _row(name: str, pair: Sequence[Sequence[float]]) -> tuple[str, ...]:
    found: Difference = compare(pair[0], pair[1])
    means = [f"{sum(values) / len(values):.3f}" for values in pair]
    change = f"{found.mean.mean:+.3f} [{found.mean.low:+.3f}, {found.mean.high:+.3f}]"
    return (name, *means, change, f"{found.p:.4f}")
