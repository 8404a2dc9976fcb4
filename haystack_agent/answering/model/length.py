"""How much of an answer is read: a server may write without end."""

from __future__ import annotations

LONGEST = 40_000
"""Characters of one message of a model."""
LONGEST_SECONDS = 1800.0
"""From its first piece on: a model may think for long, and a server may drip without end."""
CUT = f"The answer was cut off: it was longer than {LONGEST:,} characters, or took more than half an hour."


class TooLong(BaseException):
    """A model wrote more than is read of one message; its stream is closed.

    No `Exception`: LangChain logs those of listeners, and this one is meant.
    """
