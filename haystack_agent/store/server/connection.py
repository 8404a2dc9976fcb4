"""Connections to Qdrant servers: what address may be used, how it is shown, and how it is reached."""

from __future__ import annotations

import re
import warnings
from urllib.parse import urlsplit

from qdrant_client import QdrantClient

from haystack_agent.errors import UsageError
from haystack_agent.store.server.errors import StoreServer
from haystack_agent.system.loopback import is_loopback

_PORT = 6333
_STATUS_TIMEOUT = 3
"""Seconds that whoever only wants to know how things stand is made to wait."""
_NAME_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\ud800-\udfff]')


def connect(url: str, api_key: str | None, seconds: int) -> QdrantClient:
    """A client of the server at `url` that waits so long for an answer; nothing is sent yet."""
    host = urlsplit(url).hostname or ""
    # A proxy cannot reach this machine's own addresses for it.
    direct: dict[str, None] = {f"all://{f'[{host}]' if ':' in host else host}": None} if is_loopback(host) else {}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Api key is used with an insecure connection")
        return QdrantClient(url=url, api_key=api_key, timeout=seconds, check_compatibility=False, mounts=direct)


def pieces_on(url: str, api_key: str | None, collection: str) -> int:
    """Number of points in a collection, asked for once and with little patience.

    Raises:
        UsageError, StoreUnreachable: it cannot be asked.
        IndexNotFound: there is no such collection.
    """
    check_url(url, api_key)
    client = connect(url, api_key, _STATUS_TIMEOUT)
    try:
        server = StoreServer(shown_url(url), collection, api_key is not None, attempts=1)
        return server.call(lambda: client.count(collection, exact=True)).count
    finally:
        client.close()


def remove_collection(url: str, api_key: str | None, collection: str) -> None:
    """Remove a collection; harmless where there is none.

    Raises:
        UsageError, StoreUnreachable: it cannot be done.
    """
    check_url(url, api_key)
    client = connect(url, api_key, 60)
    try:
        StoreServer(shown_url(url), collection, api_key is not None).call(lambda: client.delete_collection(collection))
    finally:
        client.close()


def shown_url(url: str) -> str:
    """The address that is really asked: where a URL names no port, Qdrant's own is meant."""
    parts = urlsplit(url)
    if parts.port is not None or not parts.hostname:
        return url
    return parts._replace(netloc=f"{parts.netloc}:{_PORT}").geturl()


def check_name(collection: str) -> None:
    """Refuse what cannot name a collection.

    Raises:
        UsageError: so it is.
    """
    if not 0 < len(collection) < 256 or _NAME_FORBIDDEN.search(collection) or collection in (".", ".."):
        raise UsageError(f"{collection!a} cannot name a collection of a Qdrant server: give the index another name.")


def check_url(url: str, api_key: str | None) -> None:
    """Refuse an address that is none, and one that a key would be sent to unencrypted.

    Raises:
        UsageError: so it is.
    """
    try:
        parts = urlsplit(url)
        host, scheme = parts.hostname, parts.scheme
        parts.port  # noqa: B018 - looked at because it is checked only then
    except ValueError as error:
        raise UsageError(f"{url!r} is not a URL ({error}): give one like https://host:6333.") from error
    if parts.username is not None or parts.password is not None:
        raise UsageError("The Qdrant URL holds a user or password: give the API key in its own setting.")
    if scheme not in ("http", "https") or not host:
        raise UsageError(f"{url!r} is not the URL of a Qdrant server: give one like https://host:6333.")
    if api_key and not (api_key.isascii() and api_key.isprintable()):
        raise UsageError("The Qdrant API key holds characters that cannot be sent: copy it again.")
    if api_key and scheme == "http" and not is_loopback(host):
        raise UsageError(f"The API key would be sent to {host} unencrypted: use an https:// URL.")
