"""What a run is: frozen in its folder when it begins, and held against what is asked when it goes on."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from eval.questions import Question
from eval.runs.names import Condition
from haystack_agent.errors import UsageError
from haystack_agent.system.whole_files import write_whole

FILE_NAME = "config.json"
_PACKAGES = (
    "haystack-agent", "qdrant-edge-py", "pymupdf", "rapidocr", "onnxruntime", "torch", "transformers",
    "sentence-transformers", "open-clip-torch", "langchain-core", "langchain-openai", "ir-measures",
)  # fmt: skip


class RunConfig(BaseModel):
    """Everything that the figures of a run depend on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data_set: str
    pool: str
    questions: str
    """Digest of the questions, their answers and evidence."""
    unanswerable: bool
    """Whether questions are asked too that no such folder answers."""
    each_alone: bool = True
    """See `DataSet`."""
    contents: str = ""
    """Digest of the contents of the index."""
    profile: str
    """Fingerprint of the encoders of the index."""
    systems: tuple[str, ...]
    reader: str
    """`EXTRACTIVE`, or the name of a language model."""
    conditions: tuple[Condition, ...]
    judge: str | None = None
    """Name of the language model that judges answers besides the rules."""
    prices: tuple[float, float] | None = None
    """Of a million tokens in and out, in any currency."""
    versions: tuple[tuple[str, str], ...]


def digest(questions: Iterable[Question]) -> str:
    """Changes with any of the questions, and with nothing else."""
    plain = json.dumps([repr(one) for one in questions], ensure_ascii=False)
    return hashlib.blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def versions() -> tuple[tuple[str, str], ...]:
    """Of Python and of the packages that figures may depend on."""
    return (("python", platform.python_version()), *((name, found) for name in _PACKAGES if (found := _version(name))))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def freeze(config: RunConfig, folder: Path) -> RunConfig:
    """Write the configuration of a new run, or hold it against that of the run begun in the folder.

    Raises:
        UsageError: the run in the folder is another one.
    """
    path = folder / FILE_NAME
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, config.model_dump_json(indent=2) + "\n")
        return config
    begun = read_config(folder)
    differing = [name for name in RunConfig.model_fields if getattr(begun, name) != getattr(config, name)]
    if differing:
        raise UsageError(
            f"The run in {folder} was begun with {_said(begun, differing)}; now it would be "
            f"{_said(config, differing)}: go on as it was begun, or name another folder."
        )
    return begun


def _said(config: RunConfig, names: Sequence[str]) -> str:
    values = config.model_dump(mode="json")
    return "; ".join(f"{name} {values[name]!r}" for name in names)


def read_config(folder: Path) -> RunConfig:
    """The configuration of a run.

    Raises:
        UsageError: there is none in the folder.
    """
    path = folder / FILE_NAME
    try:
        return RunConfig.model_validate_json(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"{folder} holds no run ({error.strerror}: {FILE_NAME}).") from error
    except ValidationError as error:
        raise UsageError(f"{path} is not the configuration of a run: {error.errors()[0]['msg']}.") from error
