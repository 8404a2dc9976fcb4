"""Dominant colours of pictures, by the names people use: what can be told of a picture without any model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

COLOURS = ("black", "white", "grey", "red", "orange", "brown", "yellow", "green", "turquoise", "blue", "purple", "pink")

_SIDE = 64
_GREY_SATURATION = 0.18
_DARK, _BRIGHT = 0.18, 0.8
_HUES = ((14, 3), (42, 4), (70, 6), (160, 7), (192, 8), (260, 9), (300, 10), (342, 11), (361, 3))
"""Upper bounds of hue in degrees and the colour below each."""
_LEAST_VIVID, _LEAST_PLAIN = 0.08, 0.25
"""Shares of the picture from which a colour is named: greys must fill more of it to be noticed."""
_MOST = 3


def colour_shares(picture: Image) -> NDArray[np.float64]:
    """Share of the picture's area (0..1) that has each of `COLOURS`, shape (12,)."""
    from PIL.Image import Resampling

    small = picture.convert("RGB").resize((_SIDE, _SIDE), Resampling.BOX)
    hue, saturation, value = np.moveaxis(np.asarray(small.convert("HSV"), dtype=np.float64) / 255, -1, 0)
    named = np.digitize(hue * 360, [bound for bound, _ in _HUES])
    colours = np.array([colour for _, colour in _HUES])[np.clip(named, 0, len(_HUES) - 1)]
    colours = np.where((colours == COLOURS.index("orange")) & (value < 0.6), COLOURS.index("brown"), colours)
    grey = saturation < _GREY_SATURATION
    colours = np.where(grey, COLOURS.index("grey"), colours)
    colours = np.where(grey & (value > _BRIGHT), COLOURS.index("white"), colours)
    colours = np.where(value < _DARK, COLOURS.index("black"), colours)
    return np.bincount(colours.ravel(), minlength=len(COLOURS)) / colours.size


def dominant(shares: NDArray[np.float64]) -> tuple[str, ...]:
    """Names of the colours that a person would mention, the largest first, at most three."""
    least = np.array([_LEAST_PLAIN if name in ("black", "white", "grey") else _LEAST_VIVID for name in COLOURS])
    order = np.argsort(-shares, kind="stable")
    return tuple(COLOURS[place] for place in order if shares[place] >= least[place])[:_MOST]
