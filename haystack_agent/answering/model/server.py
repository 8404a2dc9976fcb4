"""What a server says of its models before they are asked: names, how much they read, whether they see and use tools.

Nothing here is needed: a server that says nothing is asked all the same. What is said is not trusted either: answers
are short, or not read; nothing follows a redirect, and the key goes nowhere but to the server that was named.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

from haystack_agent.answering.model.facts import Offered, of_entry, of_lm_studio, of_ollama, of_props
from haystack_agent.answering.model.http_clients import client_for
from haystack_agent.answering.model.url import root_of, shown, with_api_path, with_scheme
from haystack_agent.errors import UsageError

if TYPE_CHECKING:
    import httpx2
    from langchain_core.language_models import ModelProfile

    from haystack_agent.answering.model.choice import ModelChoice

_PATIENCE = 3.0
"""Seconds for one answer."""
_LOADING_PAUSE = 1.0
_MOST_BYTES = 8_000_000
_MOST_MODELS = 1000
_MOST_NAMED = 8
_MOST_SHOWN = 30
"""Of Ollama's models, each of which is a request of its own."""
_UNAVAILABLE = 503


class State(Enum):
    """How a server was found."""

    SILENT = auto()
    """It could not be reached, or not in time."""
    LOADING = auto()
    """It is there, its model is not yet."""
    STRANGE = auto()
    """It answers, but too much or in no known form."""
    HEARD = auto()


@dataclass(frozen=True, slots=True)
class Server:
    """What a server says."""

    url: str
    """Where its API is."""
    state: State
    models: tuple[Offered, ...] = ()
    """Empty where it names none."""
    one_for_all: bool = False
    """Whether its one model answers, whatever name is asked for."""

    def answering(self, name: str) -> Offered | None:
        """The model that answers to a name, where that is known."""
        named = next((one for one in self.models if one.is_called(name)), None)
        return named or (self.models[0] if self.one_for_all else None)


@dataclass(frozen=True, slots=True)
class Heard:
    """A model as it should be opened, with what its server says of it."""

    choice: ModelChoice
    offered: Offered | None = None
    state: State = State.SILENT
    remarks: tuple[str, ...] = ()
    """What the user should know, a sentence each."""

    @property
    def profile(self) -> ModelProfile:
        """As LangChain has it; only what is known."""
        if self.offered is None:
            return {}
        known: ModelProfile = {}
        if self.offered.context is not None:
            known["max_input_tokens"] = self.offered.context
        if self.offered.sees is not None:
            known["image_inputs"] = self.offered.sees
        if self.offered.uses_tools is not None:
            known["tool_calling"] = self.offered.uses_tools
        return known


def hear(choice: ModelChoice, tell: Callable[[str], None] | None = None, longest: float = 600.0) -> Heard:
    """Ask the server of a model; with `tell`, one that is loading is waited for, `longest` seconds at most.

    Raises:
        UsageError: the address is spoken to in the wrong way: https where it is http, or the reverse.
    """
    if choice.url is None:
        return Heard(choice)
    until = time.monotonic() + longest
    server = ask_server(choice.url, choice, choice.name)
    if tell is not None and server.state is State.LOADING:
        tell(f"{shown(choice.url)} is still loading its model. Waiting until it is there.")
        while server.state is State.LOADING and time.monotonic() < until:
            time.sleep(_LOADING_PAUSE)
            server = ask_server(choice.url, choice, choice.name)
    offered = server.answering(choice.name)
    answering = choice.name if offered is None or offered.is_called(choice.name) else short_name(offered.name)
    return Heard(
        replace(choice, name=answering, url=server.url), offered, server.state, tuple(_remarks(choice, server))
    )


def ask_server(url: str, choice: ModelChoice, name: str | None = None) -> Server:
    """What a server says of its models; of the one named, where each must be asked for by itself.

    Raises:
        UsageError: see `hear`.
    """
    import httpx2

    try:
        with client_for(url, _PATIENCE) as client:
            return _Asking(client, choice).server(url, name)
    except (httpx2.DecodingError, _Strange):
        return Server(url, State.STRANGE)
    except httpx2.HTTPError as error:
        _refuse_wrong_scheme(url, error)
    except (httpx2.InvalidURL, _TooSlow):
        pass
    return Server(url, State.SILENT)


def short_name(name: str) -> str:
    """A model's name; of a file's path, as some servers name models, the file's name."""
    if not name.lower().endswith(".gguf"):
        return name
    return PureWindowsPath(PurePosixPath(name).name).name


def _remarks(choice: ModelChoice, server: Server) -> list[str]:
    said = []
    if choice.url and server.url != choice.url:
        said.append(f"The API is not at {shown(choice.url)} but at {shown(server.url)}: that is used.")
    offered = server.answering(choice.name)
    if choice.name and server.models and offered is None:
        said.append(f"{shown(server.url)} lists no model {choice.name!r}: it has {named(server.models)}.")
    elif choice.name and offered is not None and not offered.is_called(choice.name):
        said.append(
            f"{shown(server.url)} has no model {choice.name!r}: {short_name(offered.name)} answers, whatever the name."
        )
    return said


def named(models: tuple[Offered, ...]) -> str:
    """The names of some models, for one line."""
    names = [short_name(one.name) for one in models]
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


class _Strange(Exception):
    """An answer that is too long."""


class _TooSlow(Exception):
    """An answer that takes too long."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    value: Any
    """``None`` where it is not JSON."""
    words: str


class _Asking:
    """The requests to one server."""

    def __init__(self, client: httpx2.Client, choice: ModelChoice) -> None:
        self._client = client
        key = choice.api_key.get_secret_value() if choice.api_key else ""
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    def server(self, url: str, name: str | None) -> Server:
        """See `ask_server`."""
        url, answer = self._list(url)
        if answer.status == _UNAVAILABLE and "loading" in answer.words.lower():
            return Server(url, State.LOADING)
        if not _lists(answer):
            return Server(url, State.HEARD)
        entries = [one for one in answer.value["data"][:_MOST_MODELS] if isinstance(one, Mapping)]
        models = tuple(offered for one in entries if (offered := of_entry(one)) is not None)
        owners = {str(one.get("owned_by")) for one in entries}
        known = self._known_better(root_of(url), models, owners, name)
        return Server(url, State.HEARD, known, "llamacpp" in owners and len(models) == 1)

    def _list(self, url: str) -> tuple[str, _Answer]:
        """The address that the list of models is below, and the list or what came in its place."""
        answer = self._ask(f"{url}/models")
        if _lists(answer) or url.endswith("/v1"):
            return url, answer
        below = self._ask(f"{with_api_path(url)}/models")
        return (with_api_path(url), below) if _lists(below) else (url, answer)

    def _known_better(
        self, root: str, models: tuple[Offered, ...], owners: set[str], name: str | None
    ) -> tuple[Offered, ...]:
        """The models with what the server says of them in places of its own."""
        if "llamacpp" in owners and len(models) == 1:
            return self._of_llama(root, models[0])
        if "organization_owner" in owners:
            return self._of_lm_studio(root, models)
        if models and all(one.context is None and one.sees is None for one in models):
            return self._of_ollama(root, models, name)
        return models

    def _of_llama(self, root: str, model: Offered) -> tuple[Offered, ...]:
        return (of_props(model, self._ask(f"{root}/props").value),)

    def _of_lm_studio(self, root: str, models: tuple[Offered, ...]) -> tuple[Offered, ...]:
        return of_lm_studio(models, self._ask(f"{root}/api/v0/models").value)

    def _of_ollama(self, root: str, models: tuple[Offered, ...], name: str | None) -> tuple[Offered, ...]:
        version = self._ask(f"{root}/api/version").value
        if not isinstance(version, Mapping) or "version" not in version:
            return models
        running = self._ask(f"{root}/api/ps").value
        wanted = [one for one in models if name is None or one.is_called(name)][:_MOST_SHOWN]
        known = {
            one.name: of_ollama(one, self._ask(f"{root}/api/show", {"model": one.name}).value, running)
            for one in wanted
        }
        return tuple(known.get(one.name, one) for one in models)

    def _ask(self, url: str, body: object = None) -> _Answer:
        until = time.monotonic() + _PATIENCE
        method = "GET" if body is None else "POST"
        read = bytearray()
        with self._client.stream(method, url, headers=self._headers, json=body) as response:
            for chunk in response.iter_bytes():
                read += chunk
                if len(read) > _MOST_BYTES:
                    raise _Strange
                if time.monotonic() > until:
                    raise _TooSlow
        try:
            value = json.loads(read) if response.status_code == 200 else None
        except (ValueError, RecursionError):
            value = None
        return _Answer(response.status_code, value, bytes(read[:1000]).decode("utf-8", "replace"))


def _lists(answer: _Answer) -> bool:
    return isinstance(answer.value, Mapping) and isinstance(answer.value.get("data"), list)


def _refuse_wrong_scheme(url: str, error: httpx2.HTTPError) -> None:
    """Raise `UsageError` where the server answers as soon as it is spoken to in the other way."""
    import httpx2

    secure = url.startswith("https:")
    signs = (httpx2.ConnectError, httpx2.ConnectTimeout) if secure else (httpx2.RemoteProtocolError, httpx2.ReadError)
    if not isinstance(error, signs):
        return
    other = with_scheme(url, "http" if secure else "https")
    if _answers(root_of(other)):
        raise UsageError(
            f"{shown(url)} is not spoken to with {'https' if secure else 'http'}: write --model-url {shown(other)}."
        )


def _answers(url: str) -> bool:
    """Whether anything speaks HTTP there; it is sent no key."""
    import httpx2

    try:
        with client_for(url, _PATIENCE, verify=False) as client, client.stream("GET", url):
            return True
    except (httpx2.HTTPError, httpx2.InvalidURL):
        return False
