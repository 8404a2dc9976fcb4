"""A small folder to try things on: ``python -m eval.sample FOLDER``.

A dozen files of every kind that is read, all invented: PDFs with tables, a scan, Office files, a note, pictures with
text in three languages, drawings with the date and place of a photo, and a short video with captions.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import datetime
from fractions import Fraction
from pathlib import Path

from eval.sample import documents
from eval.sample.drawing import html_picture, mountain, sailing_boat, workshop
from haystack_agent.system.whole_files import replacing

RECIPE = (
    "<h1 style='font-size:44px'>Tarte aux poires</h1><div style='font-size:26px'><p>Pour huit personnes</p>"
    "<p>Quatre poires mûres, 120 g de beurre, 90 g de sucre, deux œufs.</p>"
    "<p>Cuire au four à 190 °C pendant 40 minutes.</p><p>Servir tiède avec de la crème fraîche.</p></div>"
)
POSTER = (
    "<h1 style='font-size:52px;text-align:center'>Podzimní koncert</h1><div style='font-size:30px;text-align:center'>"
    "<p>Smyčcový kvartet Ozvěna</p><p>sobota 14. listopadu 2026</p><p>Začátek koncertu v 19:30 hodin</p>"
    "<p>Kostel svaté Anny, Telč</p><p>Vstupné 180 Kč</p></div>"
)
NOTICE = (
    "<h1 style='font-size:50px;text-align:center'>图书馆通知</h1><div style='font-size:32px'>"
    "<p>图书馆每星期一闭馆。</p><p>开放时间：上午九点至下午五点半。</p><p>借书期限为三十天。</p></div>"
)
CAPTIONS = (
    "Step 1: Remove the wheel",
    "Step 2: Lift the tyre off",
    "Step 3: Patch the tube",
    "Step 4: Pump to 4.5 bar",
)
SPOKEN = (
    "Turn the bicycle over and open the quick release.",
    "Use two plastic levers, never a screwdriver.",
    "Wait eight minutes until the glue is dry.",
    "Check the pressure again after a day.",
)
SCENE_SECONDS = 5
FRAMES_A_SECOND = 8


def write_recipe(path: Path) -> None:
    """A French recipe card as PNG."""
    html_picture(RECIPE, (900, 420), (253, 246, 227)).save(path)


def write_poster(path: Path) -> None:
    """A Czech concert poster as WebP."""
    html_picture(POSTER, (760, 460), (255, 239, 214)).save(path, quality=88)


def write_notice(path: Path) -> None:
    """A Chinese library notice as JPEG."""
    html_picture(NOTICE, (760, 380)).save(path, quality=90)


def write_boat(path: Path) -> None:
    """A drawing with the EXIF of a photo taken in Lisbon."""
    _save_photo(path, sailing_boat(), datetime(2025, 7, 19, 18, 42, 10), (38.7069, -9.1356))


def write_mountain(path: Path) -> None:
    """A drawing with the EXIF of a photo taken near Zermatt."""
    _save_photo(path, mountain(), datetime(2024, 2, 3, 11, 5, 33), (46.0207, 7.7491))


def _save_photo(path: Path, picture: object, taken: datetime, place: tuple[float, float]) -> None:
    from PIL import ExifTags
    from PIL.Image import Exif, Image

    exif = Exif()
    exif[ExifTags.Base.Make] = "Sample"
    exif[ExifTags.Base.Model] = "Pencil 3"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = taken.strftime("%Y:%m:%d %H:%M:%S")
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    latitude, longitude = place
    gps[ExifTags.GPS.GPSLatitudeRef] = "N" if latitude >= 0 else "S"
    gps[ExifTags.GPS.GPSLatitude] = _degrees(latitude)
    gps[ExifTags.GPS.GPSLongitudeRef] = "E" if longitude >= 0 else "W"
    gps[ExifTags.GPS.GPSLongitude] = _degrees(longitude)
    assert isinstance(picture, Image)  # noqa: S101 - Pillow is imported here only
    picture.save(path, quality=88, exif=exif)


def _degrees(value: float) -> tuple[float, float, float]:
    minutes = abs(value) % 1 * 60
    return float(int(abs(value))), float(int(minutes)), round(minutes % 1 * 60, 2)


def write_video(path: Path) -> None:
    """A silent clip of four scenes with burnt-in captions."""
    import av
    from PIL import Image as Pictures

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FRAMES_A_SECOND)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        stream.time_base = Fraction(1, FRAMES_A_SECOND)
        for number, caption in enumerate(CAPTIONS):
            picture = workshop(number)
            band = html_picture(f"<p style='font-size:34px'>{caption}</p>", (640, 80))
            picture.paste(band.resize((640, 80), Pictures.Resampling.LANCZOS), (0, 270))
            frame = av.VideoFrame.from_image(picture)
            for tick in range(SCENE_SECONDS * FRAMES_A_SECOND):
                frame.pts = number * SCENE_SECONDS * FRAMES_A_SECOND + tick
                container.mux(stream.encode(frame))
        container.mux(stream.encode())


def write_subtitles(path: Path) -> None:
    """What is said in the clip, as SubRip."""
    cues = []
    for number, words in enumerate(SPOKEN):
        start = number * SCENE_SECONDS
        cues.append(f"{number + 1}\n00:00:{start:02},500 --> 00:00:{start + 4:02},500\n{words}\n")
    path.write_text("\n".join(cues), "utf-8")


FILES: dict[str, Callable[[Path], None]] = {
    "bicycle/invoice.pdf": documents.write_invoice,
    "bicycle/flat tyre.mp4": write_video,
    "bicycle/flat tyre.srt": write_subtitles,
    "garden/minutes.docx": documents.write_minutes,
    "garden/huerto.md": documents.write_note,
    "home/budget.xlsx": documents.write_budget,
    "home/lease (scan).pdf": documents.write_scanned_lease,
    "home/recette.png": write_recipe,
    "outings/koncert.webp": write_poster,
    "outings/jízdní řád.pdf": documents.write_timetable,
    "outings/图书馆.jpg": write_notice,
    "photos/IMG_0412.jpg": write_boat,
    "photos/IMG_0077.jpg": write_mountain,
}
"""Path in the folder, and what writes the file."""


def make_sample(folder: Path) -> list[Path]:
    """Write the files that are not there yet; the paths of all."""
    for name, write in FILES.items():
        path = folder / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as draft:
                write(draft)
    return [folder / name for name in FILES]


def main() -> None:
    """Make the folder named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    print(f"{len(make_sample(folder))} files in {folder}")  # noqa: T201
