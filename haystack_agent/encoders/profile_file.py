"""Profiles of the user's own choice, written as a TOML file.

    sentence = "intfloat/multilingual-e5-base"     # sentence-transformers: a hub name, or a folder
    clip = "ViT-B-32"                              # open_clip: a model, hf-hub:owner/name, or a folder
    pretrained = "datacomp_xl_s13b_b90k"           # the tag of its weights, for a model of open_clip's list
    projector = "projector.safetensors"            # of `haystack-agent uclip train`; beside this file
    query_prompt = "query: "                       # put before questions and passages, where the model wants it
    passage_prompt = "passage: "                   # and its own configuration does not say so
    cache = "/big/disk/models"                     # where downloads are kept, if not in the user's cache folder
    languages = "many"                             # or "en": then other questions are put in English words first

Without a projector the CLIP's own text tower is used, which should then know many languages.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from haystack_agent.encoders.bundle import Encoders, Sight
from haystack_agent.encoders.projector import EncoderRef, Projector
from haystack_agent.errors import UsageError

if TYPE_CHECKING:
    from haystack_agent.encoders.hub import DownloadProgress

_KEYS = ("sentence", "clip", "pretrained", "projector", "query_prompt", "passage_prompt", "cache", "languages")

_MANY, _ENGLISH = "many", "en"


@dataclass(frozen=True, slots=True)
class Choice:
    """What a profile file says."""

    path: Path
    sentence: str
    clip: str
    pretrained: str | None = None
    projector: Path | None = None
    prompts: tuple[str, str] | None = None
    """Put before questions and before passages; those of the model's configuration where ``None``."""
    cache: Path | None = None
    multilingual: bool = True


def read_choice(path: Path) -> Choice:
    """Read a profile file.

    Raises:
        UsageError: it cannot be read, lacks a key, or has one that is not known.
    """
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"the profile {path} cannot be read: {error}") from error
    unknown = [key for key, value in values.items() if key not in _KEYS or not isinstance(value, str)]
    lacking = [key for key in ("sentence", "clip") if key not in values]
    if unknown or lacking:
        wrong = f"{unknown[0]!r} is not a key, or not a text" if unknown else f"{lacking[0]!r} is missing"
        raise UsageError(f"the profile {path}: {wrong}; it may hold {', '.join(_KEYS)}")
    if values.get("languages", _MANY) not in (_MANY, _ENGLISH):
        raise UsageError(f"the profile {path}: languages is {values['languages']!r}, not {_MANY!r} or {_ENGLISH!r}")
    projector = path.parent / values["projector"] if "projector" in values else None
    cache = Path(values["cache"]).expanduser() if "cache" in values else None
    prompts = (values.get("query_prompt", ""), values.get("passage_prompt", ""))
    return Choice(
        path,
        values["sentence"],
        values["clip"],
        values.get("pretrained"),
        projector,
        prompts if any(prompts) else None,
        cache,
        values.get("languages", _MANY) == _MANY,
    )


def load_choice(choice: Choice, tell: Callable[[DownloadProgress], None] | None, offline: bool) -> Encoders:
    """Load the encoders, fetching what is not here unless `offline`; `tell` is told of downloads.

    Raises:
        ModelUnavailable: they cannot be fetched or loaded.
        ModelMismatch: the projector was trained for others.
    """
    from platformdirs import user_cache_path

    from haystack_agent.encoders.hub import Hub
    from haystack_agent.encoders.towers.open_clip import OpenClipTower
    from haystack_agent.encoders.towers.sentence import SentenceTower

    cache = choice.cache or user_cache_path("haystack-agent") / "models"
    hub = Hub(cache, offline, tell)
    text = SentenceTower(choice.sentence, hub=hub, prompts=choice.prompts)
    clip = OpenClipTower(choice.clip, choice.pretrained, hub=hub)
    if choice.projector is None:
        return Encoders(text, Sight(clip), choice.multilingual)
    projector = Projector.load(
        choice.projector,
        EncoderRef(choice.sentence, text.fingerprint, text.dimension),
        EncoderRef(choice.clip, clip.fingerprint, clip.dimension),
    )
    return Encoders(text, Sight(clip, projector), choice.multilingual)
