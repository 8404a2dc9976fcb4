"""Guessing a password takes time: after a wrong one, those at the same address must wait, longer each time."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from dataclasses import dataclass

_LONGEST = 32.0
_FORGOTTEN = 900.0
"""Seconds after which an address begins anew."""
_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class _Wrong:
    at: float
    pause: float


class WrongGuesses:
    """The addresses that wrong passwords came from; a bounded number, the latest."""

    def __init__(self) -> None:
        self._wrong: OrderedDict[str, _Wrong] = OrderedDict()

    def __len__(self) -> int:
        return len(self._wrong)

    def wait(self, address: str) -> float:
        """Seconds until the next password from there is looked at."""
        wrong = self._wrong.get(_neighbours(address))
        return max(0.0, wrong.at + wrong.pause - time.monotonic()) if wrong else 0.0

    def note(self, address: str) -> None:
        """A wrong one came from there."""
        key, now = _neighbours(address), time.monotonic()
        before = self._wrong.pop(key, None)
        fresh = before is None or now - before.at > _FORGOTTEN
        self._wrong[key] = _Wrong(now, 1.0 if fresh or before is None else min(_LONGEST, 2 * before.pause))
        while len(self._wrong) > _REMEMBERED:
            self._wrong.popitem(last=False)

    def forgive(self, address: str) -> None:
        """The right one came from there."""
        self._wrong.pop(_neighbours(address), None)


def _neighbours(address: str) -> str:
    """The address, or what stands for the many that one person has: a network in IPv6, all of this computer's own."""
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    known = getattr(known, "ipv4_mapped", None) or known
    if known.is_loopback:
        return "loopback"
    if isinstance(known, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((int(known) >> 64 << 64, 64)))
    return str(known)
