"""Phrases made of CLDR vocabulary."""

from __future__ import annotations

from collections import Counter

import py3langid
import pytest

from haystack_agent.errors import UsageError
from haystack_agent.uclip.phrases import phrases, vocabulary


def test_there_are_words_in_more_than_a_hundred_languages_each_once() -> None:
    found = vocabulary()
    assert len(found) > 100
    for words in found:
        assert len(words.terms) == len(set(words.terms)) >= 1000
        assert words.two.format("one", "two") != words.three.format("one", "two", "three")


@pytest.mark.parametrize(("language", "word"), [("cs", "kočka"), ("ja", "猫"), ("hu", "macska"), ("en", "cat")])
def test_a_cat_is_among_the_words_spelled_as_the_language_does(language: str, word: str) -> None:
    [words] = [one for one in vocabulary() if one.language == language]
    assert word in words.terms


def test_phrases_list_things_as_their_language_does() -> None:
    made = list(phrases(300, "cs", seed=1))
    assert len(made) == 300
    assert any(" a " in phrase for phrase in made) and not any(" and " in phrase for phrase in made)
    sizes = Counter(phrase.count(" a ") + phrase.count(", ") for phrase in made)
    assert sizes[0] and sizes[1] and sizes[2]


def test_all_languages_have_equal_shares() -> None:
    languages = len(vocabulary())
    made = list(phrases(2 * languages))
    told = Counter(py3langid.classify(phrase)[0] for phrase in made)
    assert len(made) == 2 * languages and len(told) > 40
    assert max(told.values()) < 0.2 * len(made)


def test_a_seed_gives_the_same_phrases_and_another_gives_others() -> None:
    assert list(phrases(50, seed=3)) == list(phrases(50, seed=3)) != list(phrases(50, seed=4))


def test_a_language_without_words_is_refused() -> None:
    with pytest.raises(UsageError, match="'tlh'"):
        next(phrases(1, "tlh"))
