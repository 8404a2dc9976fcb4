"""How much of an answer is read: a server may write without end."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import BaseCallbackHandler

LONGEST = 40_000
"""Characters of one message of a model."""
CUT = f"The answer was cut off: it was longer than {LONGEST:,} characters."


class TooLong(BaseException):
    """A model wrote more than is read of one message; its stream is closed.

    No `Exception`: LangChain logs those of listeners, and this one is meant.
    """


class Length(BaseCallbackHandler):
    """Listens to a model's messages, one after another, and ends one that is too long.

    Raises:
        TooLong: out of the model's stream.
    """

    raise_error = True
    run_inline = True

    def __init__(self) -> None:
        self.text = ""
        """Of the message that is being written."""
        self._read = 0

    def on_chat_model_start(self, *_: Any, **__: Any) -> None:
        """A message begins."""
        self.text, self._read = "", 0

    def on_llm_new_token(self, token: str | list[Any], *, chunk: Any = None, **_: Any) -> None:
        """A piece of it; pieces without text count too."""
        message = getattr(chunk, "message", None)
        text = str(message.text) if message is not None else str(token)
        calls = getattr(message, "tool_call_chunks", ())
        self._read += max(1, len(text) + sum(len(one["args"] or "") for one in calls))
        self.text += text
        if self._read > LONGEST:
            raise TooLong
