"""The backends of indexing: where files are read, and their pieces encoded."""

from __future__ import annotations

import importlib
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingest.stages.protocol import OpenStages


class Backend(StrEnum):
    """Each is named like the module of `ingest.stages` that has its `open_stages`."""

    LOCAL = "local"


def opener_of(backend: Backend) -> OpenStages:
    """What opens the stages of a backend; its module is loaded only now."""
    opener: OpenStages = importlib.import_module(f"ingest.stages.{backend}").open_stages
    return opener
