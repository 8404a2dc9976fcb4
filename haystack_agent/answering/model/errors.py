"""What went wrong with a language model, in the user's words, whichever library speaks to it.

Servers agree neither on status codes nor on words: a model that cannot see is told of with 400, 404, 500 or 501. So it
is what they say that counts first, and the status only where their words say nothing that is known.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator

from haystack_agent.errors import (
    ContextTooLong,
    ModelBusy,
    ModelFailed,
    ModelLoading,
    ModelRefused,
    ModelUnreachable,
    PicturesRefused,
    ToolsRefused,
)

_TOO_LONG = re.compile(
    r"context.{0,20}(length|window|size|limit)|maximum context|exceed.{0,30}context|"
    r"exceed.{0,20}max(imum)? \w* ?length|"
    r"(prompt|input|messages?|request|text)\b.{0,30}(?<!took )too (long|large|many tokens)|too many tokens|"
    r"longer than the maximum|max_prompt_tokens|n_keep.{0,20}n_ctx|exceed_context|length of the messages|"
    r"maximum (prompt|input|allowed input) length|tokens?.{0,40}exceeds? the limit|too large to process",
    re.IGNORECASE,
)
_BLIND = re.compile(
    r"(image|vision|picture|multi-?modal)\w*\b.{0,60}"
    r"(not (support|allow|accept|available)|n't support|unsupported|cannot|invalid)|"
    r"(not|n't|cannot) (support|accept|handle|process|allow).{0,40}(image|vision|picture|multi-?modal)|"
    r"unsupported (content|part|message).{0,40}image|no vision|is not a multi-?modal|not a vision|"
    r"not compiled for multi-?modal|mmproj|"
    r"(no|at most 0) (endpoints found that support )?(image|vision)|missing data required for image|"
    r"(unknown variant|type)\W+(is )?\W*image_url|image_url.{0,60}(only supported|expected)|"
    r"allowed values?.{0,10}text\b|expected .?text",
    re.IGNORECASE,
)
_NO_TOOLS = re.compile(
    r"(tools?|function.?call\w*|tool_choice)\b.{0,60}(not support|n't support|unsupported|not enabled|disabled)|"
    r"(not|n't) (support|accept).{0,60}(\btools?\b|function.?call)|requires.{0,60}\btools?\b|"
    r"(unsupported|unknown|unrecognized|unexpected).{0,20}\b(param\w*|field|argument)\W+\w{0,12}\W*(tools?|tool_choice)\b|"
    r"no endpoints found that support tool|--enable-auto-tool-choice|--jinja",
    re.IGNORECASE,
)
_LOADING = re.compile(
    r"(model|server)\b.{0,40}(is |are )?(still |currently )?(being )?(loading|starting|initiali[sz]ing|warming)|"
    r"\bloading model",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(
    r"model.{0,80}(not found|does ?n.t exist|does not exist|not exist|no longer|is not (a )?valid|unknown)|"
    r"(no such|unknown|invalid|not found).{0,20}model|not a valid model",
    re.IGNORECASE,
)
_TIMED_OUT = re.compile(r"time.?d?.?out", re.IGNORECASE)
_CUT = re.compile(
    r"incomplete|peer closed|disconnected|connection (was )?(reset|aborted|closed)|ReadError", re.IGNORECASE
)
_PLAIN = re.compile(r"wrong.version.number|record layer failure|unknown protocol|http request", re.IGNORECASE)
_UNREADABLE = re.compile(r"DecodingError|ResponseValidation")
_TAGS = re.compile(r"<(style|script|head)\b.*?</\1>|<[^>]*>", re.IGNORECASE | re.DOTALL)
_LONGEST, _MOST_WORDS = 200, 1000
_REDIRECTS = 300
_NOT_FOUND, _TOO_MANY, _SERVER_FAILED = 404, 429, 500
_UNAVAILABLE = (502, 503, 504)


def told(error: Exception, model: str) -> ModelFailed:
    """The error as one of our own; providers' libraries agree on little more than a status code."""
    known = next((one for one in _causes(error) if isinstance(one, ModelFailed)), None)
    if known is not None:
        return known
    status = getattr(error, "status_code", None)
    reason = _reason(error) or (f"status {status}" if status else "it does not say why")
    if isinstance(error, NotImplementedError):
        return ToolsRefused(f"{model} does not use tools: use --mode direct.")
    if isinstance(status, int) and status >= _REDIRECTS:
        return _of_status(status, reason, _all_words(error), model)
    said = _of_words(_all_words(error), reason, model)
    if said is not None:
        return said
    return _strange(error, reason, model) or _unreached(error, reason, model)


def said_too_much(model: str) -> ModelFailed:
    """What is longer than is read, and shows nothing up to there."""
    return ModelFailed(f"{model} wrote more at once than is read of an answer: ask again, or choose another model.")


def said_nothing(model: str) -> ModelFailed:
    """No word is no answer, and does not mean that the files have none."""
    return ModelFailed(f"{model} ended without a word of an answer: ask again, or choose another model.")


def _of_status(status: int, reason: str, words: str, model: str) -> ModelFailed:
    if status in (401, 403):
        return ModelRefused(f"{model} does not take the key ({reason}): set HAYSTACK_MODEL_API_KEY to a valid one.")
    rate = status == _TOO_MANY and "too large" not in words.lower()  # "tokens per minute" is no length
    known = None if rate else _of_words(words, reason, model)
    if known is not None:
        return known
    if status == _NOT_FOUND or _UNKNOWN.search(words):
        return _not_found(reason, words, model)
    if status == _TOO_MANY or status >= _SERVER_FAILED:
        return _busy(status, reason, model)
    if status < 400:
        return ModelRefused(f"The server of {model} sends elsewhere ({reason}): name that place with --model-url.")
    return ModelFailed(f"{model} refused the request ({reason}).")


def _not_found(reason: str, words: str, model: str) -> ModelFailed:
    if _UNKNOWN.search(words):
        return ModelRefused(f"{model} is not known there ({reason}): `haystack-agent models` lists what is.")
    return ModelRefused(
        f"{model} is not found ({reason}): check --model, and --model-url, which ends in /v1 for most servers."
    )


def _busy(status: int, reason: str, model: str) -> ModelFailed:
    if status == _TOO_MANY or status in _UNAVAILABLE:
        return ModelBusy(f"{model} is busy (status {status}: {reason}): try again later.")
    return ModelBusy(f"The server of {model} failed (status {status}: {reason}): its own log says why.")


def _of_words(words: str, reason: str, model: str) -> ModelFailed | None:
    """What a server's words say, whatever its status."""
    if _TOO_LONG.search(words):
        return ContextTooLong(f"The request is longer than {model} can read ({reason}): use a smaller --top-k.")
    if _NO_TOOLS.search(words):
        return ToolsRefused(f"{model} does not use tools ({reason}): use --mode direct.")
    if _BLIND.search(words):
        return PicturesRefused(f"{model} does not take pictures ({reason}): choose a model that sees.")
    if _LOADING.search(words):
        return ModelLoading(f"{model} is still being loaded by its server.")
    return None


def _strange(error: Exception, reason: str, model: str) -> ModelFailed | None:
    if _said_by_server(error):
        return ModelFailed(f"{model} failed ({reason}).")
    if _of_no_form(error):
        return ModelFailed(
            f"{model} answered in a form that the OpenAI chat API does not have: is --model-url that of a chat server?"
        )
    return None


def _of_no_form(error: Exception) -> bool:
    """Whether the libraries could not read what came: their words are about themselves."""
    causes = [one for one in _causes(error) if not isinstance(one, ssl.SSLError)]
    wrong = (ValueError, TypeError, AttributeError, KeyError, IndexError, RecursionError)
    return any(isinstance(one, wrong) or _UNREADABLE.search(type(one).__name__) for one in causes)


def _unreached(error: Exception, reason: str, model: str) -> ModelFailed:
    causes = " ".join(f"{type(one).__name__} {one}" for one in _causes(error))
    if _TIMED_OUT.search(causes):
        return ModelUnreachable(f"{model} did not answer in time: is it still loading? Try again, or a smaller model.")
    if _PLAIN.search(causes):
        return ModelUnreachable(f"The server of {model} does not speak https: write --model-url with http://.")
    if any(isinstance(one, ssl.SSLError) for one in _causes(error)):
        return ModelUnreachable(f"The server of {model} cannot be trusted ({_innermost(error)}): is --model-url right?")
    if _CUT.search(causes):
        return ModelUnreachable(f"The server of {model} closed the connection: did it end, or is it out of memory?")
    return ModelUnreachable(
        f"{model} cannot be reached ({_innermost(error) or reason}): is its server running, and --model-url right?"
    )


def _said_by_server(error: Exception) -> bool:
    """Whether it came over a connection that works: an error within a stream has no status."""
    return getattr(error, "body", None) is not None


def _all_words(error: Exception) -> str:
    """What the server said, with the names of its fields; some repeat the whole request after it."""
    return " ".join(_TAGS.sub(" ", f"{error} {getattr(error, 'body', None) or ''}").split())[:_MOST_WORDS]


def _reason(error: Exception) -> str:
    """What the server said, for people."""
    body = getattr(error, "body", None)
    while isinstance(body, dict):
        body = next((body[key] for key in ("message", "error", "detail") if body.get(key)), None)
    text = body if isinstance(body, str) else str(error)
    return " ".join(_TAGS.sub(" ", text).split())[:_LONGEST].rstrip(" .:")


def _innermost(error: Exception) -> str:
    """The system's own words: the libraries' are "Connection error."."""
    *_, last = _causes(error)
    return " ".join(str(last).split())[:_LONGEST].rstrip(" .")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
