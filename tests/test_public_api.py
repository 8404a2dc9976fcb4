"""What others build on: names, signatures, and values that cannot be changed by accident."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import haystack_agent
from haystack_agent import errors, records
from haystack_agent.engine import Engine
from haystack_agent.errors import HaystackError, IndexNotFound, UsageError
from haystack_agent.index_location import IndexLocation

PUBLIC = {
    "Answer", "AssetMeta", "Box", "Citation", "Engine", "Evidence", "EvidenceRetriever", "Filters", "Found",
    "HaystackError", "IndexLocation", "IndexNotFound", "IndexUnusable", "Locator", "Match", "Modality", "ModelFailed",
    "ModelUnavailable", "Piece", "PieceKind", "Request", "Settings", "StoreUnreachable", "UsageError", "load_settings",
    "resolve",
}  # fmt: skip
"""What can be taken from the package itself: names are added, never removed."""


def test_the_package_has_its_public_names() -> None:
    assert set(haystack_agent.__all__) == PUBLIC
    assert set(dir(haystack_agent)) >= PUBLIC
    assert haystack_agent.Engine is Engine
    assert haystack_agent.Filters is records.Filters
    for name in PUBLIC:
        assert getattr(haystack_agent, name).__name__ == name


def test_type_checkers_see_the_names_in_the_modules_that_they_are_loaded_from() -> None:
    tree = ast.parse(Path(haystack_agent.__file__).read_text("utf-8"))
    seen = {
        f"{node.module}.{alias.name}"
        for branch in tree.body
        if isinstance(branch, ast.If)
        for node in branch.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    loaded = {f"{getattr(haystack_agent, name).__module__}.{name}" for name in PUBLIC}
    assert seen == loaded


def test_a_public_name_loads_its_module_alone() -> None:
    code = "import sys; from haystack_agent import Filters; print('haystack_agent.engine' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_name_that_is_not_there_is_told() -> None:
    with pytest.raises(AttributeError, match="Enginge"):
        haystack_agent.Enginge  # noqa: B018
    with pytest.raises(ImportError, match="Enginge"):
        exec("from haystack_agent import Enginge")  # noqa: S102


def parameters(function: object) -> list[str]:
    assert callable(function)
    return [
        str(parameter).split(":")[0].split(" =")[0] for parameter in inspect.signature(function).parameters.values()
    ]


def test_engine_signatures() -> None:
    assert parameters(Engine.open) == ["location"]
    assert parameters(Engine.search) == ["self", "question", "top_k", "filters"]
    assert parameters(Engine.ask) == ["self", "question", "top_k", "filters"]
    assert inspect.signature(Engine.search).parameters["top_k"].default == 10
    assert inspect.signature(Engine.ask).parameters["filters"].default == records.Filters()
    assert parameters(Engine.close) == ["self"]


def test_opening_what_is_not_there_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(IndexNotFound, match="haystack-agent index"):
        Engine.open(IndexLocation(tmp_path / "none"))
    assert not (tmp_path / "none").exists()


def test_every_error_is_a_haystack_error() -> None:
    classes = [value for value in vars(errors).values() if inspect.isclass(value)]
    assert len(classes) > 10
    assert all(issubclass(one, HaystackError) for one in classes)
    assert not issubclass(UsageError, errors.IndexUnusable)


def test_values_are_frozen() -> None:
    values = [value for value in vars(records).values() if inspect.isclass(value) and dataclasses.is_dataclass(value)]
    assert {"Piece", "Evidence", "Citation", "Answer", "Filters", "Locator"} <= {value.__name__ for value in values}
    for value in values:
        assert value.__dataclass_params__.frozen, value  # type: ignore[attr-defined]
        assert hasattr(value, "__slots__"), value


def test_a_piece_is_named_by_its_place_and_not_by_its_text() -> None:
    meta = records.AssetMeta("pdf")
    place = records.Locator(page=3)
    one = records.Piece("a", records.PieceKind.PAGE, records.Modality.DOCUMENT, 0, place, "text", meta)
    assert one.id == dataclasses.replace(one, text="other").id
    assert one.id != dataclasses.replace(one, locator=records.Locator(page=4)).id
    assert one.id != dataclasses.replace(one, kind=records.PieceKind.PASSAGE).id


def test_a_location_does_not_show_its_key() -> None:
    assert "hush" not in repr(IndexLocation(Path("x"), "http://localhost:6333", "hush"))
