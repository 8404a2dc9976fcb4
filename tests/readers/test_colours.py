"""Names of dominant colours, on pictures drawn here."""

import pytest
from PIL import Image

from ingest.pixels.colours import colour_shares, dominant

RGB = {
    "red": (200, 20, 30),
    "orange": (240, 140, 20),
    "brown": (110, 65, 25),
    "yellow": (240, 220, 40),
    "green": (30, 150, 50),
    "turquoise": (40, 200, 200),
    "blue": (30, 70, 200),
    "purple": (120, 30, 180),
    "pink": (240, 100, 180),
    "black": (10, 10, 12),
    "white": (250, 250, 248),
    "grey": (128, 130, 128),
}


@pytest.mark.parametrize("name", RGB)
def test_a_plain_colour_has_its_name(name: str) -> None:
    assert dominant(colour_shares(Image.new("RGB", (200, 100), RGB[name]))) == (name,)


def test_the_largest_comes_first_and_specks_are_not_named() -> None:
    picture = Image.new("RGB", (100, 100), RGB["blue"])
    picture.paste(RGB["red"], (0, 0, 30, 100))
    picture.paste(RGB["yellow"], (90, 90, 100, 100))
    assert dominant(colour_shares(picture)) == ("blue", "red")


def test_shares_add_up() -> None:
    noise = Image.effect_noise((64, 64), 80).convert("RGB")
    assert colour_shares(noise).sum() == pytest.approx(1.0)
