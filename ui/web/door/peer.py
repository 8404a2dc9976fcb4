"""Which user of this computer a connection comes from, as the kernel knows it (Linux: sock_diag(7))."""

from __future__ import annotations

import os
import socket
import struct
import sys
from enum import Enum, auto

Address = tuple[str, int]

_SOCK_DIAG = 4
"""The family of netlink(7) that tells about sockets."""
_BY_FAMILY = 20
_REQUEST = 1
_HEADER = struct.Struct("=IHHII")
_WANTED = struct.Struct("=BBBxI")
_ENDS = struct.Struct("!HH16s16s")
_ANYWHERE = struct.pack("=III", 0, 0xFFFFFFFF, 0xFFFFFFFF)
"""Of whatever interface, and whatever cookie of the kernel."""
_TOLD = struct.Struct("=BBxx48x12xII")
_LISTENS = 10
_EVERY_STATE = 0xFFFFFFFF
_ENOUGH = 8192
_SECONDS = 1.0


class Peer(Enum):
    """Who is at the other end of a connection within this computer."""

    SAME = auto()
    """The user that runs this process, or the administrator."""
    OTHER = auto()
    """Anybody else; also who is gone already, and who comes from elsewhere by an address of this computer."""
    UNKNOWN = auto()
    """The system tells of nobody."""


def system_tells() -> bool:
    """Whether the system says whose connections are: asked once, since later a failure must let nobody in."""
    if sys.platform != "linux":
        return False
    here = ("127.0.0.1", 1)
    try:
        _ask(_request(here, here))
    except OSError:
        return False
    return True


def peer_of(client: Address | None, server: Address | None) -> Peer:
    """Whose the connection is that goes from `client` to `server`, two addresses of this computer, where it tells.

    A connection that was reset has no addresses any more: what it brought is nobody's.
    """
    if client is None or server is None:
        return Peer.OTHER
    try:
        answer = _ask(_request(client, server))
    except OSError:
        return Peer.OTHER
    kind = _HEADER.unpack_from(answer)[1]
    if kind != _BY_FAMILY:
        return Peer.OTHER
    _, state, uid, inode = _TOLD.unpack_from(answer, _HEADER.size)
    # A socket that nobody holds any more has no inode, and would be root's.
    if state == _LISTENS or not inode or uid not in (0, os.getuid()):
        return Peer.OTHER
    return Peer.SAME


def _request(client: Address, server: Address) -> bytes:
    family = socket.AF_INET6 if ":" in client[0] else socket.AF_INET
    own, other = (socket.inet_pton(family, host) for host, _ in (client, server))
    body = (
        _WANTED.pack(family, socket.IPPROTO_TCP, 0, _EVERY_STATE)
        + _ENDS.pack(client[1], server[1], own, other)
        + _ANYWHERE
    )
    return _HEADER.pack(_HEADER.size + len(body), _BY_FAMILY, _REQUEST, 1, 0) + body


def _ask(request: bytes) -> bytes:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _SOCK_DIAG) as kernel:
        kernel.settimeout(_SECONDS)
        kernel.send(request)
        return kernel.recv(_ENOUGH)
