"""Pictures of emoji, drawn with torch: one to three glyphs, turned, of varied size and place, on varied grounds."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from haystack_agent.errors import ModelUnavailable

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

FONT = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
"""Where Debian's ``fonts-noto-color-emoji`` lies."""
SIZE = 64
_FONT_SIZE, _WIDTH, _HEIGHT = 109, 136, 128
"""The one size that the font holds bitmaps of, and how large they are."""
_GLYPH = 48
_ALONE, _AMONG = (0.45, 0.95), (0.34, 0.5)
"""Size of a glyph as a share of the picture's: least and most."""


@dataclass(frozen=True, slots=True)
class Style:
    """A way of drawing: kinds of ground, and how far glyphs are turned either way, in degrees."""

    grounds: tuple[str, ...]
    least_turn: float
    most_turn: float


SEEN = Style(("plain", "gradient", "noise", "stripes"), 0, 20)
UNSEEN = Style(("checks", "dots"), 20, 40)
"""In no picture that anything is trained on."""


def render_glyphs(emoji: Sequence[str], font: Path = FONT) -> dict[str, npt.NDArray[np.uint8]]:
    """Emoji to RGBA pixels of shape (4, 48, 48); what the font has no single picture of its own for is left out.

    Raises:
        ModelUnavailable: the font is not installed, or cannot be read.
    """
    from PIL import Image, ImageDraw, ImageFont

    try:
        face = ImageFont.truetype(font, _FONT_SIZE)
    except OSError as error:
        raise ModelUnavailable(f"There is no font {font} ({error}): install Debian's fonts-noto-color-emoji.") from None
    pixels: dict[bytes, tuple[str, npt.NDArray[np.uint8]]] = {}
    for one in emoji:
        if face.getlength(one) > _WIDTH:  # the font draws its parts side by side
            continue
        glyph = Image.new("RGBA", (_WIDTH, _WIDTH))
        ImageDraw.Draw(glyph).text((0, (_WIDTH - _HEIGHT) // 2), one, font=face, embedded_color=True)
        if glyph.getbbox() is not None:
            small = np.asarray(glyph.resize((_GLYPH, _GLYPH), Image.Resampling.LANCZOS))
            # Some flags look the same: the first one keeps the picture.
            pixels.setdefault(glyph.tobytes(), (one, small.transpose(2, 0, 1).copy()))
    return dict(pixels.values())


class Studio:
    """Draws pictures of some concepts."""

    def __init__(self, glyphs: Sequence[npt.NDArray[np.uint8]]) -> None:
        """Take the glyphs of the concepts, each of shape (4, 48, 48)."""
        import torch

        pixels = torch.from_numpy(np.stack(glyphs)).float() / 255
        # Colours are multiplied by opacity before they are resampled, else transparent pixels darken the edges.
        self._glyphs = torch.cat((pixels[:, :3] * pixels[:, 3:], pixels[:, 3:]), dim=1)

    def draw(self, shown: Sequence[Sequence[int]], style: Style, drawn: torch.Generator) -> torch.Tensor:
        """Pictures of shape (n, 3, 64, 64), values from 0 to 1; `shown` names one to three glyphs for each."""
        import torch

        canvas = _grounds(len(shown), style, drawn)
        boxes = _layout([len(one) for one in shown], style, drawn)
        for turn in range(max(map(len, shown))):
            rows = [row for row, one in enumerate(shown) if len(one) > turn]
            glyphs = self._glyphs[[shown[row][turn] for row in rows]]
            grid = torch.nn.functional.affine_grid(boxes[rows, turn], [len(rows), 4, SIZE, SIZE], align_corners=False)
            layer = torch.nn.functional.grid_sample(glyphs, grid, align_corners=False)
            canvas[rows] = layer[:, :3] + canvas[rows] * (1 - layer[:, 3:])
        light = 0.85 + 0.3 * torch.rand(len(shown), 1, 1, 1, generator=drawn)
        return (canvas * light).clamp_(0, 1)


def to_images(pictures: torch.Tensor) -> list[Image]:
    """Tensors of shape (n, 3, h, w), values from 0 to 1, as pictures of Pillow."""
    from PIL import Image as Pictures

    rows = (pictures * 255).round().byte().permute(0, 2, 3, 1).contiguous().numpy()
    return [Pictures.fromarray(row) for row in rows]


def _layout(counts: Sequence[int], style: Style, drawn: torch.Generator) -> torch.Tensor:
    """Affine maps from the picture to each of its up to three glyphs, shape (n, 3, 2, 3)."""
    import torch

    several = torch.tensor([count > 1 for count in counts])[:, None]
    parts = torch.tensor(counts)[:, None].clamp(min=1)
    chance = torch.rand(5, len(counts), 3, generator=drawn)
    least, most = (torch.where(several, among, alone) for alone, among in zip(_ALONE, _AMONG, strict=True))
    scale = least + (most - least) * chance[0]
    side = torch.where(chance[1] < 0.5, -1.0, 1.0)
    turn = torch.deg2rad(side * (style.least_turn + (style.most_turn - style.least_turn) * chance[2]))
    # Several glyphs stand around the middle; a single one anywhere where it fits.
    around = 2 * math.pi * (chance[3][:, :1] + torch.arange(3) / parts)
    x, y = (torch.where(several, 0.5 * wave(around), (1 - scale) * (2 * at - 1)) for wave, at in
            ((torch.cos, chance[3]), (torch.sin, chance[4])))  # fmt: skip
    cos, sin = torch.cos(turn) / scale, torch.sin(turn) / scale
    rows = (cos, sin, -(cos * x + sin * y), -sin, cos, sin * x - cos * y)
    return torch.stack(rows, dim=-1).reshape(len(counts), 3, 2, 3)


def _grounds(count: int, style: Style, drawn: torch.Generator) -> torch.Tensor:
    import torch

    kinds = torch.randint(len(style.grounds), (count,), generator=drawn)
    colours = torch.rand(2, count, 3, 1, 1, generator=drawn)
    canvas = torch.empty(count, 3, SIZE, SIZE)
    for number, name in enumerate(style.grounds):
        rows = torch.nonzero(kinds == number).flatten()
        mix = _GROUNDS[name](len(rows), drawn)
        canvas[rows] = colours[0, rows] * (1 - mix) + colours[1, rows] * mix
    return canvas


def _waves(count: int, drawn: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Two coordinates at right angles, in a random direction and of a random pace, shape (n, 1, 64, 64) each."""
    import torch

    chance = torch.rand(2, count, 1, 1, 1, generator=drawn)
    angle, pace = math.pi * chance[0], 4 + 8 * chance[1]
    line = torch.linspace(-1, 1, SIZE)
    y, x = torch.meshgrid(line, line, indexing="ij")
    along, across = (torch.cos(angle) * x + torch.sin(angle) * y, torch.cos(angle) * y - torch.sin(angle) * x)
    return pace * along, pace * across


def _plain(count: int, _: torch.Generator) -> torch.Tensor:
    import torch

    return torch.zeros(count, 1, SIZE, SIZE)


def _gradient(count: int, drawn: torch.Generator) -> torch.Tensor:
    along, _ = _waves(count, drawn)
    return (along / 12 + 0.5).clamp(0, 1)


def _noise(count: int, drawn: torch.Generator) -> torch.Tensor:
    import torch

    coarse = torch.rand(count, 1, SIZE // 4, SIZE // 4, generator=drawn)
    return torch.nn.functional.interpolate(coarse, (SIZE, SIZE), mode="bilinear")


def _stripes(count: int, drawn: torch.Generator) -> torch.Tensor:
    along, _ = _waves(count, drawn)
    return (along.sin() > 0).float()


def _checks(count: int, drawn: torch.Generator) -> torch.Tensor:
    along, across = _waves(count, drawn)
    return (along.sin() * across.sin() > 0).float()


def _dots(count: int, drawn: torch.Generator) -> torch.Tensor:
    along, across = _waves(count, drawn)
    return (along.sin() + across.sin() > 1).float()


_GROUNDS: dict[str, Callable[[int, torch.Generator], torch.Tensor]] = {
    "plain": _plain, "gradient": _gradient, "noise": _noise, "stripes": _stripes, "checks": _checks, "dots": _dots,
}  # fmt: skip
