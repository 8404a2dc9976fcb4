"""What servers say, in their own words, and what becomes of it: the status is not what counts."""

from __future__ import annotations

import pytest

from haystack_agent.answering.model.choice import ModelChoice, open_model
from haystack_agent.answering.model.errors import told
from haystack_agent.errors import (
    ContextTooLong,
    ModelBusy,
    ModelFailed,
    ModelLoading,
    ModelRefused,
    PicturesRefused,
    ToolsRefused,
)
from tests.support.openai_server import Fail, serving

BLIND = [
    (500, "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj"),
    (500, "image input is not supported by this server"),
    (500, 'Failed to parse messages: Unsupported content part type: "image_url"; messages = [{"role": "user"}]'),
    (500, "Failed to process inputs: this model is missing data required for image input"),
    (400, "Qwen/Qwen3-8B is not a multimodal model"),
    (400, "At most 0 image(s) may be provided in one prompt. Set `--limit-mm-per-prompt` to increase this limit."),
    (404, "No endpoints found that support image input"),
    (400, "Invalid content type. image_url is only supported by certain models."),
    (400, "Failed to deserialize the JSON body: messages[0]: unknown variant `image_url`, expected `text`"),
    (400, "Model does not support images. Please use a model that does."),
    (422, "This model does not support vision."),
    (400, "messages.content.type is invalid, allowed values: ['text']"),
    (501, "The server was not compiled for multimodal or the model projector can't be loaded."),
]
NO_TOOLS = [
    (500, "tools param requires --jinja flag"),
    (500, "Unsupported param: tools"),
    (400, "registry.ollama.ai/library/gemma3:4b does not support tools"),
    (400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'),
    (404, 'No endpoints found that support tool use. Try disabling "search".'),
    (400, "litellm.UnsupportedParamsError: together_ai does not support parameters: ['tools'], for model=x"),
    (400, "litellm.UnsupportedParamsError: GradientAI does not support parameter 'tools'."),
    (501, "Function calling is not supported by this model"),
]
TOO_LONG = [
    (400, "request (3031 tokens) exceeds the available context size (1024 tokens), try increasing it"),
    (500, "the request exceeds the available context size. try increasing the context size or enable context shift"),
    (400, "This model's maximum context length is 4096 tokens. However, you requested 9000 tokens (8900 in"),
    (400, "The input (61709 tokens) is longer than the model's context length (40960 tokens)."),
    (400, "Requested token count exceeds the model's maximum context length of 32768 tokens."),
    (400, "Trying to keep the first 14538 tokens when context the overflows. However, the model is loaded with context "
          "length of only 2048 tokens, which is not enough."),
    (400, "The number of tokens to keep from the initial prompt is greater than the context length (n_keep: 13055>= "
          "n_ctx: 4096)."),
    (500, "input is too large to process. increase the physical batch size (current batch size: 512)"),
    (400, "litellm.ContextWindowExceededError: prompt is too long: 215000 tokens > 200000 maximum"),
    (413, "Request too large for model `x` on tokens per minute (TPM): Limit 6000, Requested 9000"),
    (429, "Request too large for gpt-x on tokens per min (TPM): Limit 30000, Requested 45000."),
    (400, "Input length 131393 exceeds the maximum allowed input length of 131040 tokens."),
]  # fmt: skip
LOADING = [
    (503, "Loading model"),
    (500, "model is still loading"),
    (503, "The model x is currently loading"),
    (503, "Server is starting up, please wait"),
]
UNKNOWN = [
    (404, "model 'nope' not found"),
    (404, "The model `nope` does not exist."),
    (404, 'model "nope" not found, try pulling it first'),
    (400, "/chat/completions: Invalid model name passed in model=nope. Call `/v1/models` to view available models"),
    (400, "nope is not a valid model ID"),
    (404, "File Not Found"),
]
PASSING = [
    (500, "oops"),
    (500, "out of memory"),
    (502, "Bad Gateway"),
    (429, "Rate limit reached for gpt-x on tokens per min (TPM): Limit 30000, Used 29000."),
    (504, "The upstream request took too long"),
]
REFUSED = [
    (400, "temperature must be 1"),
    (400, "strange"),
]
CASES = [
    *((PicturesRefused, *one) for one in BLIND),
    *((ToolsRefused, *one) for one in NO_TOOLS),
    *((ContextTooLong, *one) for one in TOO_LONG),
    *((ModelLoading, *one) for one in LOADING),
    *((ModelRefused, *one) for one in UNKNOWN),
    *((ModelBusy, *one) for one in PASSING),
    *((ModelFailed, *one) for one in REFUSED),
]


def failure_of(step: Fail) -> ModelFailed:
    """What becomes of it on the way through the client's library."""
    with serving(step) as server:
        model = open_model(ModelChoice("nope", server.url))
        with pytest.raises(Exception) as raised:
            list(model.stream("x"))
    return told(raised.value, "nope")


@pytest.mark.parametrize(("kind", "status", "words"), CASES)
def test_what_servers_say(kind: type[ModelFailed], status: int, words: str) -> None:
    failure = failure_of(Fail(status, words))
    assert type(failure) is kind, failure
    if kind is not ModelLoading:
        assert words[:20] in str(failure)
    assert "{" not in str(failure).replace("messages = [{", "") and "Error code" not in str(failure)


def test_an_error_within_a_stream_is_no_lost_connection() -> None:
    full = WithinStream("the request exceeds the available context size", "exceed_context_size_error")
    assert type(told(full, "m")) is ContextTooLong
    broken = told(WithinStream("CUDA error: out of memory", "server_error"), "m")
    assert "CUDA error" in str(broken) and "reached" not in str(broken)


class WithinStream(Exception):
    """As the client's library raises it: no status, but what the server said."""

    def __init__(self, message: str, kind: str) -> None:
        super().__init__(message)
        self.body = {"message": message, "type": kind}


class Redirected(Exception):
    """As the client's library raises it: a status, and nothing that was said."""

    status_code = 302


def unread(data: bytes) -> Exception:
    """A connection's error over one about what came."""
    lost = ConnectionError("Connection error.")
    try:
        data.decode()
    except UnicodeDecodeError as error:
        lost.__cause__ = error
    return lost


@pytest.mark.parametrize(
    "error",
    [
        unread(b"\xff"),
        ValueError("5 validation errors for AIMessage\nFor further information visit https://errors.pydantic.dev/"),
        AttributeError("'str' object has no attribute 'model_dump'"),
    ],
)
def test_what_is_no_chat_is_told_without_the_words_of_libraries(error: Exception) -> None:
    form = "m answered in a form that the OpenAI chat API does not have: is --model-url that of a chat server?"
    assert str(told(error, "m")) == form


def test_no_class_is_named() -> None:
    assert "(status 302)" in str(told(Redirected(), "m")) and "Redirected" not in str(told(Redirected(), "m"))
