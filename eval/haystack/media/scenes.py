"""Pictures without text: four pictograms in the corners of a coloured ground."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Self

from eval.haystack.chance import Chance
from eval.haystack.media import canvas
from eval.haystack.media.emoji import THINGS, paste
from eval.haystack.values import Ask, Day, Emoji, HaystackTerm, Kind, Language, Needs, Task
from haystack_agent.records import Modality

_SIZE = (320, 240)
_GROUNDS = ("plain", "gradient", "stripes")


@dataclass(frozen=True, slots=True)
class Scene:
    """Things from top left to bottom right, each a little off the middle of its corner."""

    language: Language
    things: tuple[str, ...]
    places: tuple[tuple[int, int, int], ...]
    """Left, top and side of each, in pixels of its corner."""
    colours: tuple[tuple[int, int, int], ...]
    ground: int
    when: date
    clock: str

    kind = Kind.SCENE
    modality = Modality.IMAGE
    suffix = "jpg"

    @classmethod
    def drawn(cls, chance: Chance) -> Self:
        """A scene of random things."""
        random = chance.random
        sides = [random.randint(70, 104) for _ in range(4)]
        places = tuple((random.randint(4, 156 - side), random.randint(4, 116 - side), side) for side in sides)
        colours = tuple((random.randint(90, 240), random.randint(90, 240), random.randint(90, 240)) for _ in range(2))
        return cls(
            chance.language,
            tuple(random.sample(THINGS, 4)),
            places,
            colours,
            random.randrange(len(_GROUNDS)),
            chance.day(),
            chance.clock(8, 18),
        )

    def texts(self) -> list[str]:
        """The things; see `Item.texts`."""
        return list(self.things)

    def asks(self) -> list[Ask]:
        """Questions about what is seen, where and when; see `Item.asks`."""
        hidden = self.when.day % 4
        others = [number for number in range(4) if number != hidden]
        slots = {name: Emoji(self.things[number]) for name, number in zip("abc", others, strict=True)}
        return [
            Ask("scene_fourth", Task.VISUAL, Needs.VISION, slots, Emoji(self.things[hidden])),
            Ask("scene_corner", Task.VISUAL, Needs.VISION, slots, HaystackTerm("corners", others[0])),
            Ask("scene_date", Task.METADATA, Needs.VISION, slots, Day(self.when)),
        ]

    def draw(self) -> bytes:
        """A photo of the scene, with its date in the EXIF."""
        picture, pen = canvas.blank(_SIZE, self.colours[0])
        width, height = _SIZE
        if _GROUNDS[self.ground] == "gradient":
            for y in range(height):
                pen.line((0, y, width, y), fill=_mixed(self.colours, y / height))
        elif _GROUNDS[self.ground] == "stripes":
            for x in range(0, width + height, 48):
                pen.line((x, 0, x - height, height), fill=self.colours[1], width=14)
        for number, (thing, (left, top, side)) in enumerate(zip(self.things, self.places, strict=True)):
            paste(picture, thing, (left + 160 * (number % 2), top + 120 * (number // 2)), side)
        return canvas.jpeg(picture, 86, self.when, self.clock)


def _mixed(colours: tuple[canvas.Colour, ...], share: float) -> canvas.Colour:
    one, other = colours
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue
