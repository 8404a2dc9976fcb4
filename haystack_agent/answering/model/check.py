"""Does a model answer, and can it see? It is sent a picture with a number drawn for the occasion, and asked for it."""

from __future__ import annotations

import base64
import secrets
import time
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from haystack_agent.answering.model.errors import said_nothing, told
from haystack_agent.errors import PicturesRefused

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages.content import ContentBlock

_DIGITS = 5
_PICTURE = (480, 160)
_LETTERS = 110


@dataclass(frozen=True, slots=True)
class Checkup:
    """How a model did."""

    seconds: float
    """Until it had answered a question of one line."""
    sees: bool
    """Whether it read the number in the picture."""
    said: str
    """Its words about the picture, or why it got none."""


def check_model(model: BaseChatModel, name: str) -> Checkup:
    """Ask a model for a word, then for the number in a picture.

    Raises:
        ModelFailed: it does not answer at all.
    """
    began = time.monotonic()
    if not _ask(model, name, [{"type": "text", "text": "Reply with the single word: ready"}]).strip():
        raise said_nothing(name)
    seconds = time.monotonic() - began
    code = "".join(secrets.choice("23456789") for _ in range(_DIGITS))
    picture = base64.b64encode(_drawn(code)).decode("ascii")
    try:
        said = _ask(
            model,
            name,
            [
                {"type": "text", "text": "Which number is in this picture? Reply with its digits alone."},
                {"type": "image", "base64": picture, "mime_type": "image/png"},
            ],
        )
    except PicturesRefused as error:
        return Checkup(seconds, False, str(error))
    return Checkup(seconds, code in "".join(said.split()), said.strip())


def _ask(model: BaseChatModel, name: str, blocks: list[ContentBlock]) -> str:
    from langchain_core.messages import HumanMessage

    try:
        return str(model.invoke([HumanMessage(content_blocks=blocks)]).text)
    except Exception as error:  # providers' libraries share no error; `told` sorts them
        raise told(error, name) from error


def _drawn(code: str) -> bytes:
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", _PICTURE, "white")
    place = (_PICTURE[0] / 2, _PICTURE[1] / 2)
    ImageDraw.Draw(image).text(place, code, "black", ImageFont.load_default(_LETTERS), anchor="mm")
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
