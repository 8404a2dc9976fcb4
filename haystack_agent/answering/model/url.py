"""The address of a model's server: checked, and said rightly where it is not right."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from haystack_agent.system.loopback import is_loopback

_SCHEMES = ("http", "https")
_CALLS = ("/chat/completions", "/completions", "/models")
"""What people paste with the address: the client library adds it by itself."""
_HALF_SAID = re.compile(r"^(?:https?[:/]+|//+)", re.IGNORECASE)
"""``http:`` or ``//`` without the rest."""
_SECRET = re.compile(r"(?<=//)[^/@]*@|^[^/@]*@")


def checked_url(text: str) -> str:
    """The address that requests go below, without what people paste with it.

    Raises:
        ValueError: it cannot be one; the message, without its full stop, says which would be right.
    """
    url = text.strip()
    scheme, separator, rest = url.partition("://")
    if not separator:
        raise ValueError(f"{shown(url)!r} does not begin with http:// or https://: write {_guess(url)}")
    if scheme.lower() not in _SCHEMES:
        raise ValueError(f"{shown(url)!r} begins with neither http:// nor https://: write {_guess(rest)}")
    parts = _split(url)
    if not parts.hostname:
        raise ValueError(f"{shown(url)!r} names no computer: write {_guess(rest)}")
    path = parts.path.rstrip("/")
    for call in _CALLS:
        path = path.removesuffix(call)
    return parts._replace(scheme=scheme.lower(), path=path.rstrip("/"), fragment="").geturl()


def host_of(url: str) -> str:
    """The name or number of the computer; empty where there is none."""
    return urlsplit(url).hostname or ""


def root_of(url: str) -> str:
    """The address without its path."""
    return urlsplit(url)._replace(path="", query="", fragment="").geturl()


def shown(url: str) -> str:
    """The address as it is told: without a name and a password in it."""
    return _SECRET.sub("", url)


def with_scheme(url: str, scheme: str) -> str:
    """The same address, spoken to in another way."""
    return urlsplit(url)._replace(scheme=scheme).geturl()


def with_api_path(url: str) -> str:
    """The same address, with the path that most servers have their API at."""
    parts = urlsplit(url)
    return parts._replace(path=f"{parts.path.rstrip('/')}/v1").geturl()


def is_here(host: str) -> bool:
    """Whether a host is this machine."""
    return is_loopback(host) or host == "host.docker.internal" or host.endswith(".localhost")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise ValueError(f"{shown(url)!r} is no address ({error}): write it as http://localhost:11434/v1") from None
    return parts


def _guess(rest: str) -> str:
    """The address that was most likely meant: ``localhost:11434``, ``:8080`` or ``8080`` without all that is usual."""
    place, slash, path = _SECRET.sub("", _HALF_SAID.sub("", rest)).partition("/")
    if place.isdecimal():
        place = f":{place}"
    if not place or place.startswith(":"):
        place = f"localhost{place or ':11434'}"
    path = path.rstrip("/") if slash else ""
    scheme = "http" if _is_near(place) else "https"
    return f"{scheme}://{place}/{path or 'v1'}"


def _is_near(place: str) -> bool:
    """Whether a host, with or without a port, is likely one of the user's own."""
    host = (urlsplit(f"//{place}").hostname or "") if place.count("[") == place.count("]") else ""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return is_here(host) or "." not in host or place.rpartition(":")[2].isdecimal()
