"""Settings: what wins, what is refused, and that secrets stay secret."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from haystack_agent.errors import UsageError
from haystack_agent.index_files import IndexCard, IndexFiles, write_card
from haystack_agent.index_location import resolve
from haystack_agent.settings import load_settings


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in list(os.environ):
        if name.startswith("HAYSTACK_"):
            monkeypatch.delenv(name)
    path = tmp_path / "config.toml"
    path.write_text("", "utf-8")
    monkeypatch.setenv("HAYSTACK_CONFIG_FILE", str(path))
    monkeypatch.chdir(tmp_path)
    return path


def test_option_wins_over_environment_over_file_over_default(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().index == "default"
    config.write_text("index = 'file'\nworkers = 3\n", "utf-8")
    assert load_settings().index == "file"
    monkeypatch.setenv("HAYSTACK_INDEX", "environment")
    assert load_settings().index == "environment"
    assert load_settings({"index": "option", "workers": None}).index == "option"
    assert load_settings({"workers": None}).workers == 3


def test_an_unknown_key_is_named_with_those_that_are_known(config: Path) -> None:
    config.write_text("qdrant_uri = 'http://localhost'\n", "utf-8")
    with pytest.raises(UsageError) as raised:
        load_settings()
    for part in ("'qdrant_uri'", "qdrant_url", "data_dir", "viewer", str(config)):
        assert part in str(raised.value)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("workers = 'many'", "'workers'"),
        ("workers = 0", "greater than or equal to 1"),
        ("qdrant_url = 'localhost:6333'", "http://HOST:PORT"),
        ("index = [1]", "'index'"),
        ("index =", "cannot be read"),
        ("\udcff", "cannot be read"),
    ],
)
def test_a_bad_value_is_a_usage_error_of_one_line(config: Path, text: str, part: str) -> None:
    config.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError, match=part) as raised:
        load_settings()
    assert "\n" not in str(raised.value)


def test_the_error_says_where_a_bad_value_comes_from(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAYSTACK_WORKERS", "x")
    with pytest.raises(UsageError, match="environment variable HAYSTACK_WORKERS"):
        load_settings()
    monkeypatch.delenv("HAYSTACK_WORKERS")
    with pytest.raises(UsageError, match="--qdrant-url"):
        load_settings({"qdrant_url": "nonsense"})


def test_a_named_config_file_must_be_there(config: Path) -> None:
    config.unlink()
    with pytest.raises(UsageError, match="is not a file"):
        load_settings()


def test_secrets_are_not_shown(config: Path) -> None:
    config.write_text("qdrant_api_key = 'hush'\nqdrant_url = 'http://localhost:6333/'\n", "utf-8")
    settings = load_settings()
    location = resolve(settings)
    assert (location.qdrant_api_key, location.qdrant_url) == ("hush", "http://localhost:6333")
    assert "hush" not in f"{settings!r} {settings} {location!r} {settings.model_dump_json()}"
    config.write_text("qdrant_api_key = ['hush']\n", "utf-8")
    with pytest.raises(UsageError) as raised:
        load_settings()
    assert "hush" not in str(raised.value)


def test_a_name_is_an_index_of_the_data_folder_and_a_path_a_path(config: Path, tmp_path: Path) -> None:
    settings = load_settings({"data_dir": tmp_path / "data"})
    assert resolve(settings).path == tmp_path / "data/indexes/default"
    assert resolve(settings, "work").path == tmp_path / "data/indexes/work"
    assert resolve(settings, "./work").path == tmp_path.resolve() / "work"
    assert resolve(settings, ".").path == tmp_path.resolve()


def test_a_folder_here_is_meant_only_where_it_holds_an_index(config: Path, tmp_path: Path) -> None:
    settings = load_settings({"data_dir": tmp_path / "data"})
    (tmp_path / "work").mkdir()
    assert resolve(settings, "work").path == tmp_path / "data/indexes/work"
    write_card(IndexFiles(tmp_path / "work"), IndexCard("offline", "x"))
    assert resolve(settings, "work").path == tmp_path.resolve() / "work"
    (tmp_path / "data/indexes/work").mkdir(parents=True)
    assert resolve(settings, "work").path == tmp_path / "data/indexes/work"


@pytest.mark.parametrize("name", ["", " ", "-x", "a\nb", "a\x1b[31m", "x" * 65, "dot."])
def test_odd_names_are_refused(config: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name of an index"):
        resolve(load_settings(), name)
