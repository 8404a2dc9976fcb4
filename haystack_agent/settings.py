"""Settings: the only reader of the environment and of the config file.

Strongest first: options of the command line, environment variables ``HAYSTACK_...``, the config file, defaults. The
config file is TOML: ``config.toml`` in the user's config folder, or the file that ``HAYSTACK_CONFIG_FILE`` names.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from platformdirs import user_config_path, user_data_path
from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from haystack_agent.answering.model.url import checked_url
from haystack_agent.errors import UsageError

APP = "haystack-agent"
PREFIX = "HAYSTACK_"


def config_file() -> Path:
    """The config file; it need not exist unless it is named.

    Raises:
        UsageError: it is named and not there.
    """
    named = os.environ.get(f"{PREFIX}CONFIG_FILE")
    if not named:
        return user_config_path(APP, appauthor=False) / "config.toml"
    path = Path(named).expanduser()
    if not path.is_file():
        raise UsageError(f"HAYSTACK_CONFIG_FILE names {path}, which is not a file.")
    return path


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


def _http(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must look like http://HOST:PORT or https://HOST:PORT")
    return url.rstrip("/")


def _qdrant(url: str) -> str:
    parts = urlsplit(_http(url))
    if parts.username is not None or parts.password is not None:
        raise ValueError("must hold no user or password: the API key has its own setting")
    parts.port  # noqa: B018 - looked at because it is checked only then
    return _http(url)


class Settings(BaseSettings):
    """Everything that can be set; make one with `load_settings`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    data_dir: Annotated[Path, AfterValidator(_absolute)] = Field(
        default_factory=lambda: user_data_path(APP, appauthor=False)
    )
    """Where indexes, the list of last results and the log are kept."""
    index: str = "default"
    """Name or path of the index used when none is named."""
    qdrant_url: Annotated[str, AfterValidator(_qdrant)] | None = None
    """A Qdrant server for new indexes; without one the vectors are kept in the index folder. An index remembers it."""
    qdrant_api_key: SecretStr | None = None
    workers: int | None = Field(default=None, ge=1, le=256)
    """Number of processes that read files; by default as many as there are processors."""
    viewer: str | None = None
    """Command that ``open`` runs with a file in place of the system's viewer."""
    model: str | None = None
    """The language model: ``provider:model`` or, with `model_url`, the name that the server knows it by."""
    model_url: Annotated[str, AfterValidator(checked_url)] | None = None
    """A server that speaks the OpenAI chat API, such as http://localhost:11434/v1."""
    model_api_key: SecretStr | None = None
    model_timeout: float = Field(default=120.0, gt=0)
    """Seconds without a sign of life after which a model counts as not answering."""
    model_context: int | None = Field(default=None, ge=1024)
    """Tokens that the model takes in one request; needed only where its server allows fewer than usual."""
    mcp_token: SecretStr | None = None
    """What clients of ``mcp --http`` must send as a bearer token."""
    ui_password: SecretStr | None = None
    """What the browser interface asks for before it shows anything."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - part of the signature; .env files are not read
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Options first, then the environment, then the config file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, config_file())


def load_settings(overrides: dict[str, Any] | None = None) -> Settings:
    """Read the settings; `overrides` (field name to value, ``None`` meaning not given) win.

    Raises:
        UsageError: a value or a key of the config file is not accepted; no secret is part of the message.
    """
    given = {name: value for name, value in (overrides or {}).items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        raise UsageError(
            "; ".join(
                _explain(problem["loc"], problem["type"], problem["msg"], given)
                for problem in error.errors(include_input=False, include_url=False)
            )
        ) from None
    except (OSError, ValueError) as error:
        # tomllib's errors and undecodable bytes are ValueErrors.
        raise UsageError(f"The config file {config_file()} cannot be read: {error}.") from None


def _explain(place: tuple[int | str, ...], kind: str, message: str, given: dict[str, Any]) -> str:
    """One problem in a user's words: which key, where it comes from, what is accepted."""
    key = str(place[0]) if place else ""
    if kind == "extra_forbidden":
        return f"{config_file()} sets {key!r}, which is not known: accepted are {', '.join(Settings.model_fields)}."
    variable = f"{PREFIX}{key.upper()}"
    if key in given:
        origin = f"--{key.replace('_', '-')}"
    elif os.environ.get(variable):
        origin = f"The environment variable {variable}"
    else:
        origin = f"{key!r} in {config_file()}"
    return f"{origin} is not accepted: {message.removeprefix('Value error, ')}."
