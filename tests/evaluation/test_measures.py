"""Measures held against a second library, and their edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import label_ranking_average_precision_score, ndcg_score, top_k_accuracy_score

from eval.measures.judging import anls, judge
from eval.measures.ranking import RankingMeasure, measure, trec_qrels, trec_run
from eval.measures.resampling import bootstrap, compare

FILES = [f"f{number}" for number in range(20)]


@pytest.mark.parametrize("seed", range(20))
def test_random_runs_agree_with_scikit_learn(seed: int) -> None:
    """One relevant file a question: then mean label ranking precision is MRR, and top-k accuracy is Recall@k."""
    rng = np.random.default_rng(seed)
    count = 30
    orders = [rng.permutation(FILES).tolist() for _ in range(count)]
    right = rng.integers(0, len(FILES), count)
    found = measure({str(n): [FILES[right[n]]] for n in range(count)}, {str(n): orders[n] for n in range(count)})
    truth = np.zeros((count, len(FILES)))
    truth[np.arange(count), right] = 1
    scores = np.array([[-orders[n].index(file) for file in FILES] for n in range(count)], dtype=float)
    means = {one: np.mean(list(values.values())) for one, values in found.items()}
    for k, one in ((1, "R@1"), (3, "R@3"), (5, "R@5"), (10, "R@10")):
        accuracy = top_k_accuracy_score(right, scores, k=k, labels=np.arange(len(FILES)))
        assert means[RankingMeasure(one)] == pytest.approx(accuracy, abs=1e-9)
    assert means[RankingMeasure.MRR] == pytest.approx(label_ranking_average_precision_score(truth, scores), abs=1e-9)
    assert means[RankingMeasure.NDCG_10] == pytest.approx(ndcg_score(truth, scores, k=10), abs=1e-9)


def test_what_was_not_found_or_not_asked_scores_zero() -> None:
    found = measure({"a": ["x"], "b": ["y"], "c": ["z"], "d": []}, {"a": ["x"], "b": ["q"], "e": ["x"]})
    assert found[RankingMeasure.RECALL_1] == {"a": 1.0, "b": 0.0, "c": 0.0}
    assert found[RankingMeasure.MRR]["c"] == 0.0


def test_run_files_have_six_fields_whatever_the_names() -> None:
    lines = trec_run({"q 1": ["a b.pdf", "c\nd"]}, "my run").splitlines()
    assert [line.split() for line in lines] == [
        ["q_1", "Q0", "a_b.pdf", "1", "1.000000", "my_run"],
        ["q_1", "Q0", "c_d", "2", "0.500000", "my_run"],
    ]
    assert trec_qrels({"q": ["a b"]}) == "q 0 a_b 1\n"


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [
        ("It is 48.35 points.", "48.35"),
        ("1 249,50 Kč", "1,249.50"),
        ("On the 22nd of November 2026", "2026-11-22"),
        ("The TAXI sign", "taxi"),
        ("営業時間は午前九時からです", "午前九時"),
        ("The answer: an Apple", "apple"),
        ("3.14", "3.1415"),
        ("in voice 7", "invoice 7"),
        ("价格是三百元", "三百元"),
        ("It fell to \u221225 °C", "-25 °C"),
        ("minus 25 °C", "-25 °C"),
        ("from 2010-2012", "2012"),
    ],
)
def test_right_answers(answer: str, accepted: str) -> None:
    assert judge(answer, [accepted]).right


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [
        ("In 1943", "43"),
        ("2019", "2020"),
        ("", "x"),
        ("taxing", "taxi"),
        ("48.9", "48.35"),
        ("The 5 of May 2020", "2020-05-06"),
        ("word", ""),
        ("seventeen", "seven"),
        ("greenhouse", "green"),
        ("Rechnung 2100231", "10023"),
        ("十三", "三"),
        ("двадцать", "два"),
        ("-25 degrees", "25 kg"),
        ("-25 °C", "25 °C"),
        ("25 °C", "-25 °C"),
    ],
)
def test_wrong_answers(answer: str, accepted: str) -> None:
    assert not judge(answer, [accepted]).right


@given(st.text(max_size=12), st.text(max_size=12))
def test_anls_is_symmetric_and_within_bounds(first: str, second: str) -> None:
    assert anls(first, second) == anls(second, first)
    assert anls(first, first) == 1.0
    assert anls(first, second) == 0.0 or 0.5 <= anls(first, second) <= 1.0


def test_anls_by_hand() -> None:
    assert anls("kitten", "sitting") == pytest.approx(1 - 3 / 7)
    assert anls("abc", "xyz") == 0.0


@settings(max_examples=10)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_an_interval_holds_its_mean_and_is_the_same_twice(values: list[float]) -> None:
    found = bootstrap(values)
    assert found == bootstrap(values)
    assert found.low - 1e-9 <= found.mean <= found.high + 1e-9


def test_the_interval_of_a_mean_is_that_of_theory() -> None:
    values = [1.0] * 60 + [0.0] * 40
    found = bootstrap(values)
    half = 1.96 * (0.6 * 0.4 / 100) ** 0.5
    assert found.low == pytest.approx(0.6 - half, abs=0.02) and found.high == pytest.approx(0.6 + half, abs=0.02)


def test_chance_and_certainty_are_told_apart() -> None:
    better = compare([0.0] * 20, [1.0] * 20)
    assert better.p < 0.001 and better.mean.mean == 1.0
    assert compare([1.0, 0.0] * 10, [0.0, 1.0] * 10).p > 0.5
    assert compare([0.5] * 9, [0.5] * 9).p == 1.0
    # Six questions, all better: exactly 2 of 64 signs give as much.
    assert compare([0.0] * 6, [1.0] * 6).p == pytest.approx(2 / 64, abs=0.006)
    with pytest.raises(ValueError, match="same questions"):
        compare([1.0], [1.0, 0.0])
