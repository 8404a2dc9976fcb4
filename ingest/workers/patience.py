"""How long a worker is waited for: by its own clock, since on a busy machine the one on the wall tells nothing.

A worker that is given no processor is not hung. What counts against it is the processor's time that it used, and the
time that it slept; of the time that it stood in line for a processor it may take much more.
"""

from __future__ import annotations

from dataclasses import dataclass

_ASLEEP = 4
"""Times the limit of work that a worker may sleep: it waits for a disk or a network, or for ever."""
_STARVED = 40
"""Times the limit of work that a worker may stand in line: beside two busy threads and with the lowest priority it gets
a fortieth of a processor."""


@dataclass(frozen=True, slots=True)
class Vitals:
    """A worker, and what it started, at one moment."""

    cpu: float
    """Seconds of processors' time used so far."""
    in_line: bool
    """Whether it would go on, were it given a processor."""
    memory: int
    """Bytes."""


class WorkerPatience:
    """Adds up what a worker does since it was last heard of, and since it was given its file."""

    def __init__(self) -> None:
        self._cpu = 0.0
        self.begin()

    def begin(self) -> None:
        """A new file, or a new part of the work."""
        self.active = 0.0
        """Seconds worked and slept."""
        self.heard()

    def heard(self) -> None:
        """It gave a sign of life."""
        self._worked = self._slept = self._stood = 0.0

    def spend(self, seconds: float, vitals: Vitals) -> None:
        """So many seconds went by since the last look, in which it could have given a sign of life."""
        worked = min(seconds, max(0.0, vitals.cpu - self._cpu))
        rest = seconds - worked
        self._cpu = vitals.cpu
        self._worked += worked
        if vitals.in_line:
            self._stood += rest
        else:
            self._slept += rest
        self.active += worked if vitals.in_line else seconds

    def silent_for(self, limit: float) -> float | None:
        """Seconds of silence, if it was silent for longer than `limit` seconds of work allow."""
        if self._worked > limit or self._slept > _ASLEEP * limit or self._stood > _STARVED * limit:
            return self._worked + self._slept + self._stood
        return None
