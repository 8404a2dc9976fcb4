"""The engine: evidence, encoders, stores, retrieval and answering; no command line, no web, no file walking.

The names of `__all__` are what other programs build on. Each is loaded when it is first asked for, so that importing
the package costs nothing::

    from haystack_agent import Engine, load_settings, resolve

    with Engine.open(resolve(load_settings())) as engine:
        print(engine.ask("How much was the last electricity bill?").text)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from haystack_agent.asking import Found, Request
    from haystack_agent.engine import Engine
    from haystack_agent.errors import (
        HaystackError,
        IndexNotFound,
        IndexUnusable,
        ModelFailed,
        ModelUnavailable,
        StoreUnreachable,
        UsageError,
    )
    from haystack_agent.index_location import IndexLocation, resolve
    from haystack_agent.langchain_retriever import EvidenceRetriever
    from haystack_agent.records import (
        Answer,
        AssetMeta,
        Box,
        Citation,
        Evidence,
        Filters,
        Locator,
        Match,
        Modality,
        Piece,
        PieceKind,
    )
    from haystack_agent.settings import Settings, load_settings

__all__ = [
    "Answer",
    "AssetMeta",
    "Box",
    "Citation",
    "Engine",
    "Evidence",
    "EvidenceRetriever",
    "Filters",
    "Found",
    "HaystackError",
    "IndexLocation",
    "IndexNotFound",
    "IndexUnusable",
    "Locator",
    "Match",
    "Modality",
    "ModelFailed",
    "ModelUnavailable",
    "Piece",
    "PieceKind",
    "Request",
    "Settings",
    "StoreUnreachable",
    "UsageError",
    "load_settings",
    "resolve",
]

_NAMES = {
    "asking": ("Found", "Request"),
    "engine": ("Engine",),
    "errors": (
        "HaystackError",
        "IndexNotFound",
        "IndexUnusable",
        "ModelFailed",
        "ModelUnavailable",
        "StoreUnreachable",
        "UsageError",
    ),
    "index_location": ("IndexLocation", "resolve"),
    "langchain_retriever": ("EvidenceRetriever",),
    "records": (
        "Answer",
        "AssetMeta",
        "Box",
        "Citation",
        "Evidence",
        "Filters",
        "Locator",
        "Match",
        "Modality",
        "Piece",
        "PieceKind",
    ),
    "settings": ("Settings", "load_settings"),
}
"""The module of this package that each public name stands in."""
_MODULE_OF = {name: module for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> object:
    """A public name, out of its module.

    Raises:
        AttributeError: the package has no such name.
    """
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
