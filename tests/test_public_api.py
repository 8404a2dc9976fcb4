"""What others build on: names, signatures, and values that cannot be changed by accident."""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path

import pytest

from haystack_agent import errors, records
from haystack_agent.engine import Engine
from haystack_agent.errors import HaystackError, IndexNotFound, UsageError
from haystack_agent.index_location import IndexLocation


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
