"""What the answers of a Qdrant server mean: what may pass when tried again, and what is said to the user."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import httpx
from qdrant_client.common.client_exceptions import QdrantException, ResourceExhaustedResponse
from qdrant_client.http.exceptions import ApiException, ResponseHandlingException, UnexpectedResponse

from haystack_agent.errors import HaystackError, IndexMismatch, IndexNotFound, StorageFull, StoreUnreachable

T = TypeVar("T")

ATTEMPTS = 4
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 10.0
"""Seconds; a wait doubles at each attempt, with a random share so that many clients spread."""
_PASSING_STATUS = (429, 502, 503, 504)
_PASSING_TRANSPORT = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)
_DETAIL_SHOWN = 200
_KEY = "HAYSTACK_QDRANT_API_KEY"
_NODE_DOWN = ("tcp connect error", "read operations failed", "shards failed to apply")
"""What a node of a cluster says of another one that it cannot reach."""


@dataclass(frozen=True, slots=True)
class StoreServer:
    """The place that requests go to, as it is named in messages."""

    url: str
    collection: str
    has_key: bool = False
    attempts: int = ATTEMPTS
    """How often a request is sent in all, where what went wrong can pass."""

    def call(self, request: Callable[[], T]) -> T:
        """Send a request that may be sent twice; try again what can pass, a bounded number of times.

        Raises:
            StoreUnreachable: no answer, key refused, not a Qdrant server, or a request refused.
            IndexNotFound: the collection is gone.
            IndexMismatch: the collection has other vectors.
            StorageFull: the server's disk is full.
        """
        for attempt in range(1, self.attempts + 1):
            try:
                return request()
            except (ApiException, QdrantException) as error:
                wait = _wait(error, attempt)
                if wait is None or attempt == self.attempts:
                    raise self._meaning(error) from error
                time.sleep(wait)
            except (json.JSONDecodeError, UnicodeDecodeError, AssertionError) as error:
                # The client lets these through (the last where an answer has no result).
                raise self._foreign() from error
        raise AssertionError("unreachable")

    def _meaning(self, error: ApiException | QdrantException) -> HaystackError:
        if isinstance(error, ResponseHandlingException):
            return self._no_answer(error.source)
        if isinstance(error, UnexpectedResponse):
            return self._refusal(error)
        return StoreUnreachable(f"The Qdrant server {self.url} is overloaded ({_line(str(error))}): try again later.")

    def _no_answer(self, source: Exception) -> HaystackError:
        if isinstance(source, httpx.TimeoutException):
            return StoreUnreachable(
                f"The Qdrant server {self.url} did not answer in time: see whether it is overloaded."
            )
        if isinstance(source, httpx.ConnectError):
            return StoreUnreachable(
                f"No Qdrant server answers at {self.url} ({_line(str(source))}): start it, or correct the URL."
            )
        if isinstance(source, httpx.TransportError):
            return StoreUnreachable(f"The connection to {self.url} broke ({_line(str(source))}): try again.")
        return self._foreign()

    def _foreign(self, status: int | None = 200) -> HaystackError:
        return StoreUnreachable(
            f"What answers at {self.url} is not a Qdrant server (status {status}): correct the URL, port included."
        )

    def _refusal(self, error: UnexpectedResponse) -> HaystackError:
        status, detail = error.status_code, _detail(error.content)
        if status in (401, 403):
            return self._forbidden(status, detail)
        if status == 507 or "no space left" in detail.lower() or "disk is full" in detail.lower():
            return StorageFull(
                f"The disk of the Qdrant server {self.url} is full: free some space there, then try again."
            )
        if status == 404 and self.collection in detail:
            return self.no_collection()
        if "dimension error" in detail or "Not existing vector name" in detail:
            return IndexMismatch(f"The collection {self.collection} has other vectors ({detail}): use another index.")
        if status == 404 or not detail:
            return self._foreign(status)
        return self._refused(status, detail)

    def _refused(self, status: int | None, detail: str) -> StoreUnreachable:
        if any(words in detail for words in _NODE_DOWN):
            return StoreUnreachable(
                f"A node of the Qdrant cluster {self.url} is down ({status}: {detail}): start it, then try again."
            )
        return StoreUnreachable(f"The Qdrant server {self.url} refuses the request ({status}: {detail}): see its log.")

    def no_collection(self) -> IndexNotFound:
        """What to say where the collection is not on the server."""
        return IndexNotFound(
            f"The Qdrant server {self.url} has no collection {self.collection}, which holds the pieces of this index: "
            "see whether it is the right server, or run `haystack-agent index` to read the files again."
        )

    def _forbidden(self, status: int | None, detail: str) -> StoreUnreachable:
        if not self.has_key:
            return StoreUnreachable(f"The Qdrant server {self.url} asks for an API key ({status}): set it in {_KEY}.")
        if status == 403 and detail:
            return StoreUnreachable(
                f"The API key in {_KEY} may not do this on the Qdrant server {self.url} ({status}: {detail}): "
                "use a key that may read and write."
            )
        return StoreUnreachable(
            f"The Qdrant server {self.url} refuses the API key in {_KEY} ({status}): set the right key."
        )


def _wait(error: Exception, attempt: int) -> float | None:
    """Seconds to wait before the next attempt; ``None`` where another attempt is of no use."""
    backoff = _FIRST_WAIT * 2.0 ** (attempt - 1) * random.uniform(1.0, 1.5)  # noqa: S311 - no secret
    if isinstance(error, ResourceExhaustedResponse):
        return min(max(float(error.retry_after_s), backoff), _LONGEST_WAIT)
    if isinstance(error, UnexpectedResponse) and error.status_code in _PASSING_STATUS:
        return backoff
    if isinstance(error, ResponseHandlingException) and isinstance(error.source, _PASSING_TRANSPORT):
        return backoff
    return None


def _detail(content: bytes) -> str:
    """The server's own words, empty where the answer is not one of Qdrant's."""
    try:
        return _line(str(json.loads(content)["status"]["error"]))
    except (ValueError, KeyError, TypeError):
        return ""


def _line(text: str) -> str:
    return " ".join(text.split())[:_DETAIL_SHOWN]
