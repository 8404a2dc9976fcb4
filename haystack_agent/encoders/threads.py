"""Torch among other programs."""

from __future__ import annotations

import os


def yield_when_idle() -> None:
    """Let torch's threads sleep while they wait for each other; to be called before torch is first imported.

    By default they wait in a loop that keeps a processor busy. With readers and other programs on the same processors,
    encoding was seen to take ten times as long for that.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
