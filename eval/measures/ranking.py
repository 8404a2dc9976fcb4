"""Measures of rankings (ir-measures, with trec_eval behind it): one value a question, zero where nothing was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum


class RankingMeasure(StrEnum):
    """Names as ir-measures writes them."""

    RECALL_1 = "R@1"
    RECALL_3 = "R@3"
    RECALL_5 = "R@5"
    RECALL_10 = "R@10"
    MRR = "RR"
    NDCG_10 = "nDCG@10"


Relevant = Mapping[str, Sequence[str]]
"""Files that answer, by question."""
Rankings = Mapping[str, Sequence[str]]
"""Files found, best first, by question."""


def measure(relevant: Relevant, rankings: Rankings) -> dict[RankingMeasure, dict[str, float]]:
    """Each measure of each question that has an answer; one without a ranking scores zero."""
    import ir_measures

    names = {ir_measures.parse_measure(one.value): one for one in RankingMeasure}
    qrels = {key: dict.fromkeys(files, 1) for key, files in relevant.items() if files}
    # Scores that only say the order: equal ones would be put into another order.
    run = {key: {file: -float(rank) for rank, file in enumerate(files)} for key, files in rankings.items()}
    values: dict[RankingMeasure, dict[str, float]] = {one: dict.fromkeys(qrels, 0.0) for one in RankingMeasure}
    for found in ir_measures.iter_calc(list(names), qrels, {key: run.get(key, {}) for key in qrels}):
        values[names[found.measure]][found.query_id] = found.value
    return values


def trec_run(rankings: Rankings, name: str) -> str:
    """The rankings as a run file of trec_eval: topic, Q0, document, rank, score, name."""
    lines = [
        f"{_field(key)} Q0 {_field(file)} {rank} {1 / rank:.6f} {_field(name)}"
        for key, files in rankings.items()
        for rank, file in enumerate(files, start=1)
    ]
    return "".join(f"{line}\n" for line in lines)


def trec_qrels(relevant: Relevant) -> str:
    """The relevant files as judgements of trec_eval: topic, iteration, document, relevance."""
    lines = [f"{_field(key)} 0 {_field(file)} 1" for key, files in relevant.items() for file in files]
    return "".join(f"{line}\n" for line in lines)


def _field(text: str) -> str:
    """Fields stand between spaces, so that names must have none."""
    return "".join("_" if char.isspace() else char for char in text) or "_"
