"""How long to go on with a model that does not answer: what may pass is tried again, what is loading is waited for."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from haystack_agent.errors import ModelBusy, ModelFailed, ModelLoading, ModelUnreachable

LONGEST_PAUSE = 30.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How often what may pass is tried, and the seconds before the second try; each further pause is twice as long."""

    tries: int = 3
    pause: float = 1.0
    loading: float = 600.0
    """Seconds that a model may load before it is given up."""


@dataclass(slots=True)
class Retrying:
    """How one request goes that is sent again until it is answered."""

    patience: Patience = Patience()
    tries: int = 1
    began: float = field(default_factory=time.monotonic)
    told_of_loading: bool = False

    def pause(self, failure: ModelFailed, cause: Exception) -> float:
        """Seconds to wait before the next try.

        Raises:
            ModelFailed: there is no point in one.
        """
        if isinstance(failure, ModelLoading):
            if time.monotonic() - self.began > self.patience.loading:
                raise failure from cause
            return asked_pause(cause) or min(2.0, self.patience.pause)
        if not isinstance(failure, (ModelBusy, ModelUnreachable)) or self.tries >= self.patience.tries:
            raise failure from cause
        self.tries += 1
        return min(LONGEST_PAUSE, asked_pause(cause) or self.patience.pause * 2 ** (self.tries - 2))

    def told(self, failure: ModelFailed, pause: float) -> str:
        """What is being done, in words; a sentence where it is news."""
        if not isinstance(failure, ModelLoading):
            return f"{failure} Trying again in {pause:.0f} s."
        news = not self.told_of_loading
        self.told_of_loading = True
        return f"{failure} Waiting until it is there." if news else "Waiting for the model"


def asked_pause(error: Exception) -> float | None:
    """Seconds that the server asks to wait, at most `LONGEST_PAUSE`."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    try:
        return min(LONGEST_PAUSE, max(0.0, float(headers.get("retry-after", ""))))
    except ValueError:
        return None
