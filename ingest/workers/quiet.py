"""Native decoders write to standard error, and some to standard output, whatever they are told: nobody reads it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_ERROR = 2


def silence(*descriptors: int) -> None:
    """Send what this process writes to these descriptors to nowhere, for good."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in descriptors:
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


@contextmanager
def quiet() -> Iterator[None]:
    """Drop what is written to standard error meanwhile, by any thread."""
    if sys.stderr is not None:
        sys.stderr.flush()
    try:
        saved = os.dup(_ERROR)
    except OSError:  # it was closed: there is nobody to be spared
        yield
        return
    silence(_ERROR)
    try:
        yield
    finally:
        os.dup2(saved, _ERROR)
        os.close(saved)
