"""The tables of a report: numbers as text, not yet Markdown or HTML."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from eval.measures.ranking import RankingMeasure
from eval.measures.resampling import Interval, bootstrap, compare
from eval.reports.groups import Group, groups
from eval.runs.names import Condition, System
from eval.runs.outcomes import Outcomes

_UNJUDGED = "–"


@dataclass(frozen=True, slots=True)
class ReportTable:
    """Rows of cells under a title; the first column is words, the others are figures."""

    title: str
    note: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables(run: Outcomes) -> list[ReportTable]:
    """All that apply to a run, in the order of a report."""
    made = [_retrieval(run), _by_group(run), _baselines(run), _differences(run), _reasoning(run), _gap(run)]
    made += [_abstention(run), _agreement(run)]
    return [table for table in made if table.rows]


def leading(run: Outcomes) -> str:
    """The system that the others are compared with."""
    return System.OURS if System.OURS in run.config.systems else run.config.systems[0]


def asked(run: Outcomes) -> Condition | None:
    """The condition nearest to what a user gets."""
    order = (Condition.ASK, Condition.TOP_5, Condition.TOP_3, Condition.TOP_1)
    return next((one for one in order if one in run.config.conditions), None)


def said(interval: Interval) -> str:
    """``0.83 [0.69, 0.94]``."""
    return f"{interval.mean:.2f} [{interval.low:.2f}, {interval.high:.2f}]"


def _mean(values: Sequence[float]) -> str:
    return f"{fmean(values):.2f}" if values else _UNJUDGED


def _retrieval(run: Outcomes) -> ReportTable:
    rows = []
    for system in run.config.systems:
        scores = run.scores(system)
        rows.append((system, *(said(bootstrap(list(scores[one].values()))) for one in RankingMeasure)))
    note = f"Files ranked by their best place, {len(run.answerable)} questions; 95 % bootstrap intervals."
    return ReportTable("Retrieval", note, ("system", *(_called(one) for one in RankingMeasure)), tuple(rows))


def _called(measure: RankingMeasure) -> str:
    return measure.value.replace("R@", "Recall@").replace("RR", "MRR")


def _by_group(run: Outcomes) -> ReportTable:
    system, condition = leading(run), asked(run)
    scores = run.scores(system)
    shown = (RankingMeasure.RECALL_1, RankingMeasure.RECALL_5, RankingMeasure.MRR)

    def row(group: Group) -> tuple[str, ...]:
        figures = [_mean([scores[one][key] for key in group.keys]) for one in shown]
        return (group.name, str(len(group.keys)), *figures, *_answered(run, condition, group.keys), _placed(run, group))

    columns = ("questions", "n", *map(_called, shown), "answer right", "abstained", "right place")
    note = f"{system}; answers by {run.config.reader}, condition {condition or 'none'}."
    return ReportTable("By kind of question", note, columns, tuple(map(row, groups(run.answerable.values()))))


def _answered(run: Outcomes, condition: Condition | None, keys: Sequence[str]) -> tuple[str, str]:
    if condition is None:
        return _UNJUDGED, _UNJUDGED
    right = [float(run.rule_verdict(condition, key).right) for key in keys if run.questions[key].answers]
    records = [run.answers[condition].get(key) for key in keys]
    return _mean(right), _mean([float(record is None or record["abstained"]) for record in records])


def _placed(run: Outcomes, group: Group) -> str:
    condition = asked(run) or Condition.GOLD
    places = [run.place_cited(condition, leading(run), key) for key in group.keys]
    told = [one for one in places if one is not None]
    return f"{sum(told)} of {len(told)}"


def _baselines(run: Outcomes) -> ReportTable:
    scores = {system: run.scores(system) for system in run.config.systems}

    def cell(system: str, group: Group) -> str:
        one, five = scores[system][RankingMeasure.RECALL_1], scores[system][RankingMeasure.RECALL_5]
        return " / ".join(_mean([values[key] for key in group.keys]) for values in (one, five))

    rows = [
        (group.name, str(len(group.keys)), *(cell(system, group) for system in run.config.systems))
        for group in groups(run.answerable.values())
    ]
    if len(run.config.systems) < 2:
        rows = []
    return ReportTable(
        "Systems side by side", "Recall@1 / Recall@5.", ("questions", "n", *run.config.systems), tuple(rows)
    )


def _differences(run: Outcomes) -> ReportTable:
    first = leading(run)
    own = run.scores(first)
    rows = []
    for other in run.config.systems:
        if other == first:
            continue
        theirs = run.scores(other)
        cells = []
        for measure in (RankingMeasure.RECALL_1, RankingMeasure.RECALL_5, RankingMeasure.MRR):
            keys = sorted(own[measure])
            found = compare([theirs[measure][key] for key in keys], [own[measure][key] for key in keys])
            cells.append(f"{found.mean.mean:+.2f} [{found.mean.low:+.2f}, {found.mean.high:+.2f}], p {found.p:.4f}")
        rows.append((other, *cells))
    note = f"{first} minus the other on the same questions; paired randomisation test, two-sided."
    return ReportTable("Differences", note, (f"{first} against", "Recall@1", "Recall@5", "MRR"), tuple(rows))


def _reasoning(run: Outcomes) -> ReportTable:
    rows = tuple(_condition_row(run, condition) for condition in run.config.conditions)
    columns = (
        "evidence", "right", "judge", "exact", "contains", "numeric", "ANLS", "abstained", "cited right", "right cited",
        "tokens in / out", "cost",
    )  # fmt: skip
    note = (
        f"Answers by {run.config.reader}. Right: by the rules exact, contains or numeric; judge: "
        f"{run.config.judge or 'not asked'}. Cited right: share of citations in the right file; right cited: share of "
        "answers that cite it. A question without an answer counts as wrong."
    )
    return ReportTable("Reasoning", note, columns, rows if _with_answers(run) else ())


def _with_answers(run: Outcomes) -> list[str]:
    return [key for key, one in run.answerable.items() if one.answers]


def _condition_row(run: Outcomes, condition: Condition) -> tuple[str, ...]:
    keys = _with_answers(run)
    verdicts = [run.rule_verdict(condition, key) for key in keys]
    judged = [run.judged(condition, key) for key in keys] if run.config.judge else []
    records = [run.answers[condition][key] for key in keys if key in run.answers[condition]]
    precision, recall = _citations(run, records)
    tokens = [sum(record["tokens"][side] for record in records) for side in (0, 1)]
    return (
        condition.value,
        said(bootstrap([float(one.right) for one in verdicts])),
        _mean([float(bool(one)) for one in judged]),
        *(_mean([float(value) for value in values]) for values in _parts(verdicts)),
        _mean([float(record["abstained"]) for record in records]),
        _mean(precision),
        _mean(recall),
        f"{tokens[0]:,} / {tokens[1]:,}",
        _cost(run, tokens),
    )


def _parts(verdicts: Sequence[object]) -> Iterator[list[float]]:
    for name in ("exact", "contains", "numeric", "anls"):
        yield [float(getattr(one, name)) for one in verdicts]


def _citations(run: Outcomes, records: Sequence[object]) -> tuple[list[float], list[float]]:
    """Of answers that are no abstentions: share of the citations in a right file, and whether one is."""
    precision, recall = [], []
    for record in records:
        assert isinstance(record, dict)  # noqa: S101 - JSON objects
        if record["abstained"]:
            continue
        right = [one["file"] in run.questions[record["question"]].evidence for one in record["cited"]]
        precision += [float(one) for one in right]
        recall.append(float(any(right)))
    return precision, recall


def _cost(run: Outcomes, tokens: Sequence[int]) -> str:
    if run.config.prices is None:
        return _UNJUDGED
    return f"{sum(count * price for count, price in zip(tokens, run.config.prices, strict=True)) / 1e6:.4f}"


def _gap(run: Outcomes) -> ReportTable:
    """The headline: what is lost because evidence has to be found."""
    found = [one for one in run.config.conditions if one.places or one is Condition.ASK]
    if Condition.GOLD not in run.config.conditions or not found:
        return ReportTable("", "", (), ())
    keys = _with_answers(run)
    rows = []
    for name, verdict in _verdicts(run):
        gold = [verdict(Condition.GOLD, key) for key in keys]
        for condition in found:
            change = compare([verdict(condition, key) for key in keys], gold)
            rows.append(
                (f"{name}, {condition.value}", _mean(gold), f"{fmean(gold) - change.mean.mean:.2f}", said(change.mean))
            )
    note = "What answers lose because the evidence has to be found."
    return ReportTable(
        "Gold minus retrieved", note, ("judged by", "gold", "retrieved", "gap"), tuple(rows) if keys else ()
    )


def _verdicts(run: Outcomes) -> Iterator[tuple[str, Callable[[Condition, str], float]]]:
    yield "rules", lambda condition, key: float(run.rule_verdict(condition, key).right)
    if run.config.judge:
        yield run.config.judge, lambda condition, key: float(bool(run.judged(condition, key)))


def _abstention(run: Outcomes) -> ReportTable:
    """Of questions that nothing answers, and of those that something does."""
    none = [key for key in run.questions if key not in run.answerable]
    rows = []
    for condition in run.config.conditions if none else ():
        if condition is Condition.GOLD:
            continue
        records = run.answers[condition]
        declined = {key for key, record in records.items() if record["abstained"]}
        right = [float(key in declined) for key in none if key in records]
        share = [float(key in none) for key in declined]
        rows.append((condition.value, str(len(right)), _mean(right), _mean(share)))
    columns = ("evidence", "unanswerable", "declined", "of those declined, unanswerable")
    return ReportTable("Abstention", "Questions that no file answers should be declined.", columns, tuple(rows))


def _agreement(run: Outcomes) -> ReportTable:
    """How often judge and rules agree, and Cohen's kappa: agreement beyond chance."""
    pairs = [
        (run.rule_verdict(condition, key).right, verdict)
        for condition in run.config.conditions
        for key in _with_answers(run)
        if key in run.answers[condition] and not run.answers[condition][key]["abstained"]
        and (verdict := run.judged(condition, key)) is not None
    ]  # fmt: skip
    if not run.config.judge or not pairs:
        return ReportTable("", "", (), ())
    agreed = fmean(float(rule == judge) for rule, judge in pairs)
    rule, judge = fmean(float(one) for one, _ in pairs), fmean(float(one) for _, one in pairs)
    chance = rule * judge + (1 - rule) * (1 - judge)
    kappa = 1.0 if chance == 1 else (agreed - chance) / (1 - chance)
    row = (run.config.judge, str(len(pairs)), f"{agreed:.2f}", f"{kappa:.2f}")
    return ReportTable("Judge and rules", "Answers on which both spoke.", ("judge", "n", "agreement", "kappa"), (row,))
