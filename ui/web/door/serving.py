"""How the server is reached, and by whom: known before anything large is imported."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from haystack_agent.errors import UsageError
from haystack_agent.system.loopback import is_loopback

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Serving:
    """How the server is reached, and which model it asks.

    `public` is the origin that people open where a proxy stands before the server, such as https://media.example.org.
    """

    host: str
    port: int
    password: str | None
    model: str | None = None
    model_url: str | None = None
    public: str | None = None


def check(serving: Serving) -> None:
    """Refuse to be reached from other machines without a password.

    Raises:
        UsageError: as said.
    """
    if serving.password:
        return
    if serving.public:
        raise UsageError("--behind-proxy lets other machines in: give a password too, best in HAYSTACK_UI_PASSWORD.")
    if not is_loopback(serving.host):
        raise UsageError(
            f"--host {serving.host} can be reached from other machines: give a --password too, or leave --host out."
        )


def origin_of(url: str) -> str:
    """The origin of an address as browsers write it.

    Raises:
        UsageError: it is no address of a site, or of a part of one.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
    except ValueError:  # UnicodeError is one too
        parts, host, port = urlsplit(""), "", None
    if parts.scheme not in _DEFAULT_PORTS or not host or parts.path.strip("/") or parts.query or parts.username:
        raise UsageError(
            f"--behind-proxy {url!r} is not the address of a site: write what people open, such as "
            "https://media.example.org, without a path."
        )
    named = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{named}" + (f":{port}" if port not in (None, _DEFAULT_PORTS[parts.scheme]) else "")
