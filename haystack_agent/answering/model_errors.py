"""What went wrong with a language model, in the user's words, whichever library speaks to it."""

from __future__ import annotations

import re

from haystack_agent.errors import (
    ContextTooLong,
    ModelBusy,
    ModelFailed,
    ModelRefused,
    ModelUnreachable,
    PicturesRefused,
    ToolsRefused,
)

_TOO_LONG = re.compile(
    r"context.{0,20}(length|window|size|limit)|maximum context|too (long|many tokens)|exceed.{0,30}context|"
    r"prompt is too long",
    re.IGNORECASE,
)
_BLIND = re.compile(
    r"image.{0,60}(not support|unsupported|not allow|cannot|invalid)|(not support|does not accept).{0,40}image|"
    r"no vision|multimodal|image_url|mmproj",
    re.IGNORECASE,
)
_NO_TOOLS = re.compile(
    r"(tools?|function.?call\w*)\b.{0,60}(not support|unsupported|not enabled|disabled)|"
    r"(not support|does not accept|requires).{0,60}\btools?\b|--enable-auto-tool-choice|--jinja",
    re.IGNORECASE,
)
_TIMED_OUT = re.compile(r"time.?d?.?out", re.IGNORECASE)
_LONGEST = 200
_NOT_FOUND, _TOO_MANY, _SERVER_FAILED = 404, 429, 500


def told(error: Exception, model: str) -> ModelFailed:
    """The error as one of our own; providers' libraries agree on little more than a status code."""
    status = getattr(error, "status_code", None)
    reason = " ".join(str(error).split())[:_LONGEST]
    if isinstance(status, int):
        return _of_status(status, reason, model)
    if isinstance(error, NotImplementedError):
        return ToolsRefused(f"{model} does not use tools: use --mode direct.")
    if isinstance(error, ValueError):
        return _refused(reason, model)
    if _TIMED_OUT.search(f"{type(error).__name__} {reason}"):
        return ModelUnreachable(f"{model} did not answer in time: is it still loading? Try again, or a smaller model.")
    return ModelUnreachable(f"{model} cannot be reached ({reason}): is its server running, and --model-url right?")


def _of_status(status: int, reason: str, model: str) -> ModelFailed:
    if status in (401, 403):
        return ModelRefused(f"{model} does not take the key: set HAYSTACK_MODEL_API_KEY to a valid one.")
    if status == _NOT_FOUND:
        return ModelRefused(f"{model} is not known there ({reason}): check --model and --model-url.")
    if status in (400, 413, 422):
        return _refused(reason, model)
    if status == _TOO_MANY or status >= _SERVER_FAILED:
        return ModelBusy(f"{model} is busy or failed (status {status}: {reason}): try again later.")
    return ModelFailed(f"{model} refused the request (status {status}: {reason}).")


def _refused(reason: str, model: str) -> ModelFailed:
    if _TOO_LONG.search(reason):
        return ContextTooLong(f"The evidence is longer than {model} can read: use a smaller --top-k.")
    if _BLIND.search(reason):
        return PicturesRefused(f"{model} does not take pictures ({reason}): choose a model that sees.")
    if _NO_TOOLS.search(reason):
        return ToolsRefused(f"{model} does not use tools ({reason}): use --mode direct.")
    return ModelFailed(f"{model} refused the request ({reason}).")
