"""Which reader reads which media type. Readers are named, not imported: only workers load them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass

from ingest.readers.protocol import Reader


@dataclass(frozen=True, slots=True)
class ReaderEntry:
    """One reader: the types it reads, the version of what it makes of them, and the class to construct."""

    media_types: frozenset[str]
    version: int
    module: str
    name: str
    ocr: bool = False
    """Whether the constructor takes an `OcrEngine`; readers of one worker share it."""


@dataclass(frozen=True, slots=True)
class ReaderRegistry:
    """The readers of a pipeline; can be sent to a worker process."""

    entries: tuple[ReaderEntry, ...]

    def entry(self, media_type: str) -> ReaderEntry | None:
        """The reader of a media type, ``None`` where there is none."""
        return next((entry for entry in self.entries if media_type in entry.media_types), None)


class Readers:
    """The readers of one worker, each constructed when first needed."""

    def __init__(self, registry: ReaderRegistry) -> None:
        self._registry = registry
        self._made: dict[ReaderEntry, Reader] = {}
        self._ocr: object | None = None

    def reader(self, media_type: str) -> Reader:
        """The reader of a media type that the registry knows.

        Raises:
            ModelUnavailable: a model that the reader needs is missing or damaged.
        """
        entry = self._registry.entry(media_type)
        if entry is None:
            raise KeyError(media_type)
        if entry not in self._made:
            construct: Callable[..., Reader] = getattr(importlib.import_module(entry.module), entry.name)
            self._made[entry] = construct(self._ocr_engine()) if entry.ocr else construct()
        return self._made[entry]

    def _ocr_engine(self) -> object:
        if self._ocr is None:
            from ingest.ocr.recognition import OcrEngine

            self._ocr = OcrEngine(threads=1)
        return self._ocr


_OWN = (
    ("ingest.readers.document", "DocumentReader", True),
    ("ingest.readers.text.reader", "TextReader", False),
    ("ingest.readers.image.reader", "ImageReader", True),
    ("ingest.readers.video", "VideoReader", True),
)


def default_registry() -> ReaderRegistry:
    """The readers that come with the package."""
    entries = []
    for module, name, ocr in _OWN:
        loaded = importlib.import_module(module)
        types: frozenset[str] = loaded.MEDIA_TYPES
        version: int = loaded.READER_VERSION
        entries.append(ReaderEntry(types, version, module, name, ocr))
    return ReaderRegistry(tuple(entries))
