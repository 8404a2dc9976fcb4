"""What servers say of a model, each in fields of its own: llama.cpp, vLLM, SGLang, LM Studio, Ollama, OpenRouter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

_CONTEXTS = ("max_model_len", "context_length", "context_window", "max_context_length")
"""vLLM and SGLang; OpenRouter; Groq; Mistral."""
_OLLAMA_CONTEXT = 4096
"""Tokens that Ollama takes where nothing else is set; it cuts off what is too long, and says nothing."""
_NUM_CTX = re.compile(r"^\s*num_ctx\s+(\d{1,9})\s*$", re.MULTILINE)
_LONGEST_NAME = 300
_LEAST_CONTEXT = 16


@dataclass(frozen=True, slots=True)
class Offered:
    """A model that a server has; what it does not say is ``None``."""

    name: str
    aliases: tuple[str, ...] = ()
    context: int | None = None
    """Tokens of a request and its answer."""
    sees: bool | None = None
    uses_tools: bool | None = None

    def is_called(self, name: str) -> bool:
        """Whether a user means it by a name: Ollama's tag may be left out, and of a path all but the file's name."""
        wanted = name.casefold()
        return any(wanted in _ways_to_say(one.casefold()) for one in (self.name, *self.aliases))


def of_entry(entry: Mapping[str, Any]) -> Offered | None:
    """A model of the list that every server of the OpenAI API has."""
    name = entry.get("id")
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME:
        return None
    meta, architecture, can = (_fields(entry.get(key)) for key in ("meta", "architecture", "capabilities"))
    modalities = _texts(architecture.get("input_modalities"))
    parameters = _texts(entry.get("supported_parameters"))
    context = next((one for key in _CONTEXTS if (one := _count(entry.get(key))) is not None), None)
    return Offered(
        name,
        tuple(_texts(entry.get("aliases"))),
        context or _count(meta.get("n_ctx")),
        "image" in modalities if modalities else _truth(can.get("vision")),
        "tools" in parameters if parameters else _truth(can.get("function_calling")),
    )


def of_props(model: Offered, props: object) -> Offered:
    """llama.cpp's own page: a template that knows no tools drops them in silence."""
    settings, modalities, template = (
        _fields(_fields(props).get(key)) for key in ("default_generation_settings", "modalities", "chat_template_caps")
    )
    tools = [_truth(template.get(key)) for key in ("supports_tools", "supports_tool_calls")]
    return _with(
        model,
        _count(settings.get("n_ctx")),
        _truth(modalities.get("vision")),
        None if None in tools else any(tools),
    )


def of_lm_studio(models: tuple[Offered, ...], listed: object) -> tuple[Offered, ...]:
    """LM Studio's own list."""
    entries = _fields(listed).get("data")
    rows = {str(row.get("id")): row for row in map(_fields, entries if isinstance(entries, list) else ())}
    return tuple(_of_lm_studio(one, rows.get(one.name, {})) for one in models)


def _of_lm_studio(model: Offered, row: Mapping[str, Any]) -> Offered:
    kind, can = row.get("type"), row.get("capabilities")
    return _with(
        model,
        _count(row.get("loaded_context_length")),
        {"vlm": True, "llm": False}.get(kind) if isinstance(kind, str) else None,
        "tool_use" in _texts(can) if isinstance(can, list) else None,
    )


def of_ollama(model: Offered, shown: object, running: object) -> Offered:
    """Ollama's page of a model; what it was loaded with counts, not what it was trained for."""
    can = _texts(_fields(shown).get("capabilities"))
    set_to = _NUM_CTX.search(str(_fields(shown).get("parameters", "")))
    return _with(
        model,
        _loaded(model, running) or (_count(int(set_to[1])) if set_to else None) or (_OLLAMA_CONTEXT if can else None),
        "vision" in can if can else None,
        "tools" in can if can else None,
    )


def _loaded(model: Offered, running: object) -> int | None:
    rows = _fields(running).get("models")
    for row in map(_fields, rows if isinstance(rows, list) else ()):
        if isinstance(row.get("name"), str) and model.is_called(row["name"]):
            return _count(row.get("context_length"))
    return None


def _with(model: Offered, context: int | None, sees: bool | None, tools: bool | None) -> Offered:
    return replace(
        model,
        context=model.context if context is None else context,
        sees=model.sees if sees is None else sees,
        uses_tools=model.uses_tools if tools is None else tools,
    )


def _ways_to_say(name: str) -> Iterator[str]:
    yield name
    yield name.removesuffix(":latest")
    if name.endswith(".gguf"):
        file = re.split(r"[/\\]", name)[-1]
        yield file
        yield file.removesuffix(".gguf")


def _fields(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _texts(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= _LEAST_CONTEXT else None


def _truth(value: object) -> bool | None:
    return value if isinstance(value, bool) else None
