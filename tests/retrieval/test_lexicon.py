"""The lexicon: what words of other languages mean, from the file that ships."""

from collections.abc import Iterator

import pytest

from haystack_agent.lexicon.lookup import Lexicon


@pytest.fixture(scope="module")
def lexicon() -> Iterator[Lexicon]:
    with Lexicon() as opened:
        yield opened


@pytest.mark.parametrize(
    ("text", "language", "meaning"),
    [
        ("kachna", "cs", "duck"),
        ("kacsát", "hu", "duck"),
        ("lippu", "fi", "ticket"),
        ("účtenka", "cs", "receipt"),
        ("भारत", "hi", "india"),
        ("चेन्नई", "hi", "chennai"),
        ("北京の天気", "ja", "beijing"),
        ("хорватия", "ru", "croatia"),
        ("jardín", "es", "garden"),
    ],
)
def test_meanings(lexicon: Lexicon, text: str, language: str, meaning: str) -> None:
    assert any(meaning in gloss.words for gloss in lexicon.glosses(text, language))


def test_the_language_narrows_the_meaning(lexicon: Lexicon) -> None:
    czech = {word for gloss in lexicon.glosses("vlak", "cs") for word in gloss.words}
    assert "train" in czech
    assert not {word for gloss in lexicon.glosses("vlak", "en") for word in gloss.words} & {"train"}


def test_an_inflected_word_is_less_certain(lexicon: Lexicon) -> None:
    (exact,) = lexicon.glosses("kacsa", "hu")
    (inflected,) = lexicon.glosses("kacsát", "hu")
    assert exact.certainty == 1.0 and 0.6 <= inflected.certainty < 1.0


def test_no_meaning_is_invented(lexicon: Lexicon) -> None:
    assert lexicon.glosses("qzxwv 12345 BB5678", "cs") == []


def test_places_are_where_the_words_stand(lexicon: Lexicon) -> None:
    (gloss,) = [gloss for gloss in lexicon.glosses("Kde je kachna?", "cs") if "duck" in gloss.words]
    assert (gloss.start, gloss.end) == (7, 13)
