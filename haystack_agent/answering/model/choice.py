"""Opening language models: any that LangChain knows, and any server that speaks the OpenAI chat API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from haystack_agent.answering.model.http_clients import async_client_for, client_for, timeout_of
from haystack_agent.answering.model.url import checked_url, host_of, is_here
from haystack_agent.errors import UsageError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel, ModelProfile
    from pydantic import SecretStr

    from haystack_agent.encoders.hub import DownloadProgress
    from haystack_agent.settings import Settings

_LOCAL = "local:"
_PROVIDERS = frozenset((
    "anthropic", "azure_ai", "azure_openai", "bedrock", "bedrock_converse", "cohere", "deepseek", "fireworks",
    "google_genai", "google_vertexai", "groq", "huggingface", "mistralai", "nvidia", "ollama", "openai", "openrouter",
    "perplexity", "together", "xai",
))  # fmt: skip
"""As LangChain calls them."""
_HERE = (_LOCAL, "ollama:")
_NO_KEY = "none"
"""Local servers ask for no key, but the client library sends one."""


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model by name; with `url` it is one of that server, else ``provider:model`` as LangChain knows it, or
    ``local:`` and the folder or hub name of a model of transformers."""

    name: str
    url: str | None = None
    api_key: SecretStr | None = field(default=None, repr=False)
    timeout: float = 120.0
    """Seconds without a sign of life after which the model counts as not answering."""
    context: int | None = None
    """Tokens that the model takes, where the library does not know."""
    usage: bool = False
    """Whether to ask a server for the tokens that a streamed answer took: not every one knows the option."""

    @property
    def destination(self) -> str | None:
        """Who gets what is sent to the model, where it is not this machine."""
        if self.url is None:
            return None if self.name.startswith(_HERE) else self.name.partition(":")[0]
        host = host_of(self.url)
        return None if is_here(host) else host


def says_where(name: str) -> bool:
    """Whether a name says by itself who answers: a local model, or a provider (names of servers' models have colons
    too)."""
    provider, colon, _ = name.partition(":")
    return name.startswith(_LOCAL) or bool(colon and provider in _PROVIDERS)


def chosen_model(settings: Settings, name: str | None = None, url: str | None = None) -> ModelChoice:
    """The model of the options or, where they name none, of the settings.

    Raises:
        UsageError: no model is named, or the server's address cannot be one.
    """
    name = name or settings.model
    if not name:
        raise UsageError(
            "No model is named: give --model NAME and, for a server of yours, --model-url URL (Ollama: "
            "http://localhost:11434/v1), or set them in config.toml."
        )
    server = server_address(url) or (None if says_where(name) else settings.model_url)
    return ModelChoice(name, server, settings.model_api_key, settings.model_timeout, settings.model_context)


def server_address(url: str | None) -> str | None:
    """The address of the option, checked.

    Raises:
        UsageError: it cannot be one.
    """
    if not url:
        return None
    try:
        return checked_url(url)
    except ValueError as error:
        raise UsageError(f"--model-url is not accepted: {error}.") from None


def open_model(
    choice: ModelChoice, tell: Callable[[DownloadProgress], None] | None = None, said: ModelProfile | None = None
) -> BaseChatModel:
    """The model; with its `profile` saying what it takes, where that is known: by the library, and better by what its
    server `said`, and best by the user.

    Nothing is sent yet, but the files of a local one may be fetched, of which `tell` is told.

    Raises:
        UsageError: the provider is not known, or its package is not installed.
        ModelUnavailable: a local model cannot be loaded.
    """
    model = _opened(choice, tell)
    if said:
        model.profile = {**(model.profile or {}), **said}
    if choice.context is not None:
        model.profile = {**(model.profile or {}), "max_input_tokens": choice.context}
    return model


def _opened(choice: ModelChoice, tell: Callable[[DownloadProgress], None] | None) -> BaseChatModel:
    if choice.url is not None:
        return _of_server(choice)
    if choice.name.startswith(_LOCAL):
        from platformdirs import user_cache_path

        from haystack_agent.answering.model.langchain_local import LocalVlm
        from haystack_agent.encoders.hub import Hub

        hub = Hub(user_cache_path("haystack-agent") / "models", on_progress=tell)
        return LocalVlm.load(choice.name.removeprefix(_LOCAL), hub)
    from langchain.chat_models import init_chat_model

    key: dict[str, Any] = {"api_key": choice.api_key.get_secret_value()} if choice.api_key else {}
    try:
        model: BaseChatModel = init_chat_model(choice.name, timeout=choice.timeout, max_retries=0, **key)
    except ImportError as error:
        raise UsageError(f"{choice.name} needs a package that is not installed: {error}") from error
    except Exception as error:  # each provider's constructor has its own ways to say that a key is missing
        raise UsageError(
            f"The model {choice.name} cannot be used ({error}): write provider:model, or name a server, --model-url."
        ) from error
    return model


def _of_server(choice: ModelChoice) -> BaseChatModel:
    from langchain_openai import ChatOpenAI
    from pydantic import SecretStr

    url = choice.url or ""
    # Retries are ours: the library's own would hide what is going on, and repeat what cannot pass. So are the clients:
    # the library's follow redirects with all that is in the request, and take a proxy to this very machine.
    return ChatOpenAI(
        model=choice.name,
        base_url=url,
        api_key=choice.api_key or SecretStr(_NO_KEY),
        timeout=timeout_of(choice.timeout),
        max_retries=0,
        stream_usage=choice.usage,
        use_responses_api=False,
        http_client=client_for(url, choice.timeout),
        http_async_client=async_client_for(url, choice.timeout),
        http_socket_options=(),
        openai_proxy=None,
    )
