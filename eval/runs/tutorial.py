"""The pipeline of the tutorials, as a baseline: text layers of PDFs, chunks of 1,000 characters, one dense vector each.

No OCR, no pictures, no clips: what is not a PDF with a text layer is not found.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from haystack_agent.vectors import TextEncoder

if TYPE_CHECKING:
    from langchain_core.documents import Document
    from langchain_core.retrievers import BaseRetriever

_CHUNK, _OVERLAP = 1000, 200
_BATCH = 256


def tutorial_retriever(pool: Path, encoder: TextEncoder, places: int) -> BaseRetriever:
    """Chunk and encode the PDFs of a pool, in memory."""
    from langchain_core.embeddings import Embeddings
    from langchain_core.vectorstores import InMemoryVectorStore
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    class _Encoder(Embeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            batches = (texts[start : start + _BATCH] for start in range(0, len(texts), _BATCH))
            rows = [encoder.encode_passages(batch) for batch in batches]
            return [list(map(float, row)) for row in np.concatenate(rows)] if rows else []

        def embed_query(self, text: str) -> list[float]:
            return list(map(float, encoder.encode_query(text)))

    store = InMemoryVectorStore(_Encoder())
    splitter = RecursiveCharacterTextSplitter(chunk_size=_CHUNK, chunk_overlap=_OVERLAP)
    store.add_documents(splitter.split_documents(list(_pages(pool))))
    return store.as_retriever(search_kwargs={"k": places})


def _pages(pool: Path) -> Iterator[Document]:
    import pymupdf
    from langchain_core.documents import Document

    for path in sorted(pool.rglob("*.pdf")):
        try:
            document = pymupdf.open(path)
        except (pymupdf.FileDataError, pymupdf.EmptyFileError):  # what is broken is not found, as in the tutorials
            continue
        with document:
            if document.needs_pass:
                continue
            for number in range(document.page_count):
                yield Document(str(document[number].get_text()), metadata={"source": str(path), "page": number})
