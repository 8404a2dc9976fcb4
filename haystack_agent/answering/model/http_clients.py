"""HTTP clients for servers of models: what is meant for one server never goes to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from haystack_agent.answering.model.url import host_of, is_here

if TYPE_CHECKING:
    import httpx2

_CONNECT = 10.0
"""Seconds to reach a machine: less than a model may take to answer."""


def client_for(url: str, timeout: float, verify: bool = True) -> httpx2.Client:
    """A client that follows no redirects and speaks to this machine without a proxy."""
    import httpx2

    return httpx2.Client(timeout=timeout_of(timeout), verify=verify, **_options(url))


def async_client_for(url: str, timeout: float) -> httpx2.AsyncClient:
    """See `client_for`."""
    import httpx2

    return httpx2.AsyncClient(timeout=timeout_of(timeout), **_options(url))


def timeout_of(seconds: float) -> httpx2.Timeout:
    """So many seconds without a sign of life; fewer until a connection stands."""
    import httpx2

    return httpx2.Timeout(seconds, connect=min(seconds, _CONNECT))


def _options(url: str) -> dict[str, Any]:
    import httpx2

    options: dict[str, Any] = {"follow_redirects": False}
    if is_here(host_of(url)):
        # A connection costs nothing here, and one kept while the server is started anew would fail.
        options["limits"] = httpx2.Limits(max_keepalive_connections=0)
        options["mounts"] = {"all://": None, "http://": None, "https://": None}  # whatever HTTP_PROXY says
    return options
