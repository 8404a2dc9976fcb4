"""Counts what a model of LangChain writes, and ends a message that is too long."""

from __future__ import annotations

import time
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler

from haystack_agent.answering.model.length import LONGEST, LONGEST_SECONDS, TooLong


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
        self._began = time.monotonic()

    def on_chat_model_start(self, *_: Any, **__: Any) -> None:
        """A message begins."""
        self.text, self._read, self._began = "", 0, time.monotonic()

    def on_llm_new_token(self, token: str | list[Any], *, chunk: Any = None, **_: Any) -> None:
        """A piece of it; pieces without text count too."""
        message = getattr(chunk, "message", None)
        text = str(message.text) if message is not None else str(token)
        calls = getattr(message, "tool_call_chunks", ())
        self._read += max(1, len(text) + sum(len(one["args"] or "") for one in calls))
        self.text += text
        if self._read > LONGEST or time.monotonic() - self._began > LONGEST_SECONDS:
            raise TooLong
