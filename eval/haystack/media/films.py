"""Short silent films: four shots of a thing with a word below it, under a title that stays."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Self

from eval.haystack.chance import Chance
from eval.haystack.media import canvas
from eval.haystack.media.emoji import THINGS, paste
from eval.haystack.values import Ask, Emoji, HaystackTerm, Kind, Language, Needs, Plain, Task, Value
from eval.haystack.words import words_of, written
from haystack_agent.records import Modality

if TYPE_CHECKING:
    from PIL.Image import Image

_SIZE = (320, 240)
_RATE = 4
"""Frames a second: as many as a reader of videos looks at."""
_GROUNDS: tuple[canvas.Colour, ...] = ((214, 226, 233), (245, 226, 196), (205, 230, 204), (232, 210, 226))


@dataclass(frozen=True, slots=True)
class Film:
    """Four shots, each of whole seconds."""

    language: Language
    person: str
    place: str
    goods: tuple[HaystackTerm, ...]
    things: tuple[str, ...]
    seconds: tuple[int, ...]

    kind = Kind.FILM
    modality = Modality.VIDEO
    suffix = "mp4"

    @classmethod
    def drawn(cls, chance: Chance) -> Self:
        """A film with random facts."""
        return cls(
            chance.language,
            chance.person(),
            chance.place(),
            chance.terms("goods", 4),
            tuple(chance.random.sample(THINGS, 4)),
            tuple(chance.random.randint(1, 2) for _ in range(4)),
        )

    def texts(self) -> list[str]:
        """All of its text and what is drawn; see `Item.texts`."""
        words = words_of(self.language)
        return [self._title(), self.place, *(written(good, words) for good in self.goods), *self.things]

    def asks(self) -> list[Ask]:
        """Questions about the order and time of shots; see `Item.asks`."""
        named = {"person": Plain(self.person), "place": Plain(self.place)}
        shots = self._shots()
        at = 1 + sum(self.seconds) % 2
        second = round(shots[at][0])
        others = (f"{second} seconds", f"second {second}", f"0:{second:02}", f"00:{second:02}", f"{second}秒")
        here: dict[str, Value] = {**named, "good": self.goods[at]}
        return [
            Ask("clip_after", Task.TEMPORAL, Needs.TEXT, here, self.goods[at + 1], time=shots[at + 1]),
            Ask("clip_sight", Task.VISUAL, Needs.VISION, here, Emoji(self.things[at]), time=shots[at]),
            Ask("clip_last", Task.TEMPORAL, Needs.TEXT, named, self.goods[-1], time=shots[-1]),
            Ask("clip_when", Task.TEMPORAL, Needs.VISION, here, Plain(f"{second} s", others), time=shots[at]),
        ]

    def draw(self) -> bytes:
        """MP4 with H.264."""
        import av

        target = io.BytesIO()
        with av.open(target, "w", format="mp4") as container:
            options = {"preset": "ultrafast", "crf": "27", "threads": "1"}
            stream: Any = container.add_stream("libx264", rate=_RATE, options=options)
            stream.width, stream.height, stream.pix_fmt = *_SIZE, "yuv420p"
            stream.time_base = Fraction(1, _RATE)
            for tick, picture in enumerate(self._frames()):
                frame = av.VideoFrame.from_image(picture)
                frame.pts = tick
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return target.getvalue()

    def _title(self) -> str:
        return words_of(self.language).label("film", person=self.person)

    def _shots(self) -> list[tuple[float, float]]:
        ends = [sum(self.seconds[: number + 1]) for number in range(len(self.seconds))]
        return [(float(end - length), float(end)) for end, length in zip(ends, self.seconds, strict=True)]

    def _frames(self) -> Iterator[Image]:
        words = words_of(self.language)
        for number, (good, thing) in enumerate(zip(self.goods, self.things, strict=True)):
            shot, pen = canvas.blank(_SIZE, _GROUNDS[(number + len(self.person)) % 4])
            title = self._title()
            pen.text((10, 16), title, font=canvas.fitting(pen, title, 18, 300), fill=canvas.DARK, anchor="lm")
            pen.text((10, 38), self.place, font=canvas.font(18), fill=canvas.DARK, anchor="lm")
            pen.text((160, 200), written(good, words), font=canvas.font(26), fill=canvas.DARK, anchor="mm")
            paste(shot, thing, (112, 64), 96)
            # Nothing moves within a shot: a reader looks at every picture that is new, and that takes long.
            yield from [shot] * (self.seconds[number] * _RATE)
