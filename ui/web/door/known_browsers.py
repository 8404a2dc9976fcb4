"""Browsers that were let in, so that a server started anew knows them: one small file each, for the owner's eyes only.

A browser is known by a secret in its cookie, of which the file's name is the digest; whoever reads the files cannot get
in with them.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from pathlib import Path

from pydantic import BaseModel, ValidationError

from haystack_agent.system.private_files import read_private, write_private

YEAR = 365 * 24 * 3600
_MOST = 1000
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


class _Known(BaseModel):
    """Whose conversations the browser sees, and by which lock it came in."""

    visitor: str
    lock: str


class KnownBrowsers:
    """The browsers of one data folder, at most a thousand: the latest."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def visitor(self, secret: str, lock: str | None = None) -> str | None:
        """The visitor with this secret, who came in by this lock, or by any; None where there is none."""
        known = self._read(secret) if _SECRET.fullmatch(secret) else None
        return known.visitor if known and lock in (None, known.lock) else None

    def add(self, lock: str, visitor: str | None) -> str:
        """The secret of a new browser, which is a visitor known already or a new one.

        Raises:
            OSError: it cannot be kept.
        """
        secret = secrets.token_urlsafe(32)
        known = _Known(visitor=visitor or _digest(secret, b"visitor"), lock=lock)
        write_private(self._path(secret), known.model_dump_json())
        self._drop_oldest()
        return secret

    def forget(self, secret: str) -> None:
        """Its cookie lets nobody in any more."""
        if _SECRET.fullmatch(secret):
            self._path(secret).unlink(missing_ok=True)

    def salt(self) -> bytes:
        """A random value of this data folder, always the same."""
        path = self._folder / "salt"
        if not read_private(path):
            write_private(path, secrets.token_hex(16))
        return (read_private(path) or "").encode()

    def _read(self, secret: str) -> _Known | None:
        path = self._path(secret)
        text = read_private(path)
        try:
            if text is None or time.time() - path.stat().st_mtime > YEAR:
                return None
            return _Known.model_validate_json(text)
        except (ValidationError, FileNotFoundError):
            return None  # damaged, or taken away meanwhile

    def _path(self, secret: str) -> Path:
        return self._folder / f"{_digest(secret, b'browser')}.json"

    def _drop_oldest(self) -> None:
        known = list(self._folder.glob("*.json"))
        if len(known) > _MOST:
            for path in sorted(known, key=_modified)[:-_MOST]:
                path.unlink(missing_ok=True)


def id_from(secret: str) -> str | None:
    """The visitor that a browser with this secret is, unless another is given; None where it is no secret."""
    return _digest(secret, b"visitor") if _SECRET.fullmatch(secret) else None


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _digest(secret: str, purpose: bytes) -> str:
    return hashlib.blake2b(secret.encode(), digest_size=16, person=purpose).hexdigest()
