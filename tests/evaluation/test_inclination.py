"""The English inclination test, on made encoders whose inclination is known, and on real captions where they are."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from eval.inclination import First, RankedItem, WordEncoder, inclination, question_of, read_items
from haystack_agent.errors import UsageError
from haystack_agent.vectors import FloatArray
from tests.support.paths import SHARED

CAPTIONS = SHARED / "crossmodal3600_captions"
ITEMS = [RankedItem(f"english number{n}", f"jiný řádek číslo{n} konec") for n in range(20)]


class Inclined:
    """Sees English in everything."""

    dimension = 2
    fingerprint = "inclined"

    def encode_passages(self, texts: Sequence[str]) -> FloatArray:
        """English texts on one axis, others on the other."""
        return np.array([[1.0, 0.0] if text.startswith("english") else [0.0, 1.0] for text in texts], np.float32)

    def encode_query(self, text: str) -> FloatArray:
        """Every question on the English axis."""
        return np.array([1.0, 0.0], np.float32)


def test_an_encoder_that_sees_english_in_everything_is_found_out() -> None:
    shares = inclination(Inclined(), ITEMS)
    assert shares[First.INCLINED] == pytest.approx(0.95) and shares[First.ENGLISH] == pytest.approx(0.05)


def test_shared_words_find_the_same_language() -> None:
    items = [RankedItem("a b", f"slovo{n} další{n} věc") for n in range(10)]
    assert inclination(WordEncoder(), items)[First.SAME] == 1.0


def test_a_question_is_the_first_half() -> None:
    assert question_of("one two three") == "one two"
    assert question_of("猫がいる") == "猫が"


def test_files_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "cs.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps({"en": "a", "text": "b"}).encode() + b"\n{}\n"))
    assert read_items(path, limit=1) == [RankedItem("a", "b")]
    with pytest.raises(UsageError, match="no fields"):
        read_items(path)
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(UsageError, match="cannot be read"):
        read_items(path)
    with pytest.raises(UsageError, match="cannot be read"):
        read_items(tmp_path / "none.jsonl")


@pytest.mark.skipif(not CAPTIONS.is_dir(), reason="the captions of Crossmodal-3600 are not beside the repository")
def test_the_real_captions_are_read() -> None:
    assert len(read_items(CAPTIONS / "cs.jsonl.gz")) == 3600
