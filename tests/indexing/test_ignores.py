"""Ignore files of strangers: patterns mean what git says, and none makes the walk slow."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore import GitIgnorePatternError

from ingest.files.globs import SteadyPattern
from ingest.files.ignores import is_ignored, load_rules

_SIGNS = ["a", "b", "*", "*", "?", "/", "/", "**/", "/**/", "[ab]", "\\*", ".", "**", "("]


def _verdict(pattern: str, name: str, steady: bool) -> bool | None:
    spec = GitIgnoreSpec.from_lines([pattern], SteadyPattern if steady else None, backend="simple")
    return spec.check_file(name).include


def test_patterns_mean_what_they_mean_to_the_library() -> None:
    drawn = random.Random(1)  # noqa: S311
    named = 0
    for _ in range(8000):
        pattern = "".join(drawn.choices(_SIGNS, k=drawn.randint(1, 9)))
        name = "/".join("".join(drawn.choices("aab.*(", k=drawn.randint(1, 4))) for _ in range(drawn.randint(1, 6)))
        name += drawn.choice(["", "/"])
        try:
            expected = _verdict(pattern, name, steady=False)
        except GitIgnorePatternError:
            continue
        assert _verdict(pattern, name, steady=True) == expected, (pattern, name)
        named += expected is not None
    assert named > 500


def test_a_set_of_characters_never_stands_for_a_slash() -> None:
    assert _verdict("a[!b]c", "a/c", steady=True) is None
    assert _verdict("a[!b]c", "axc", steady=True)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("*" + "a*" * 40 + "b", "a" * 255),
        ("a" + "*" * 60 + "b", "a" * 255),
        ("*" + "?*" * 40 + "b", "a" * 255),
        ("*" + "[ab]*" * 40 + "x", "a" * 255),
        ("**/" + "a/**/" * 40 + "b", "a/" * 2000 + "c"),
        ("**/" + "*a*a*b/**/" * 20 + "b", ("a" * 100 + "/") * 40 + "c"),
    ],
)
def test_no_pattern_is_slow(tmp_path: Path, pattern: str, name: str) -> None:
    (tmp_path / ".ignore").write_text(f"{pattern}\n*.tmp\n")
    rules = load_rules(tmp_path, {".ignore"}, git=False)
    assert rules is not None
    began = time.process_time()
    assert not is_ignored(tmp_path / name, folder=False, rules=[rules])
    assert time.process_time() - began < 5
    assert is_ignored(tmp_path / "x.tmp", folder=False, rules=[rules])
