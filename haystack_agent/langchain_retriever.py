"""The engine as a LangChain retriever."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict, Field

from haystack_agent import places
from haystack_agent.engine import Engine
from haystack_agent.records import Evidence, Filters


class EvidenceRetriever(BaseRetriever):
    """Documents whose metadata says where they stand: ``path``, ``page``, ``start``, ``end``, ``boxes``, ``score`` ...

    The engine stays the caller's: close it when the retriever is no longer used.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    engine: Engine
    top_k: int = Field(default=places.SHOWN, gt=0)
    filters: Filters = Filters()

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        del run_manager  # nothing below reports to callbacks
        return [to_document(item) for item in self.engine.search(query, top_k=self.top_k, filters=self.filters)]


def to_document(evidence: Evidence) -> Document:
    """A piece of evidence as a LangChain document; nothing that a citation needs is dropped."""
    piece = evidence.piece
    metadata: dict[str, Any] = {
        "path": evidence.paths[0],
        "paths": list(evidence.paths),
        "modality": str(piece.modality),
        "kind": str(piece.kind),
        "page": piece.locator.page,
        "start": piece.locator.start,
        "end": piece.locator.end,
        "boxes": [asdict(box) for box in piece.locator.boxes],
        "heading": piece.heading,
        "title": piece.meta.title,
        "language": piece.language,
        "score": evidence.score,
        "matched": [asdict(match) for match in evidence.matches],
    }
    return Document(page_content=piece.text, metadata=metadata, id=piece.id)
