"""Bytes as text: by byte order mark, as UTF-8 where they are, else by the encoding that makes the most sense."""

from __future__ import annotations

import re

SAMPLE = 256 * 1024

_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"),
)  # fmt: skip
_ONE_BYTE = (
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1257", "iso8859_2", "iso8859_15",
    "koi8_r", "koi8_u", "cp866", "cp852", "cp1255",
)  # fmt: skip
_LETTERS = (
    "éèàùêçâîôûëïœüÿæ", "äöüß", "áéíóúñü", "ãõáéíóúâêôçà", "àèéìòùî", "åäöé", "æøåé", "éëïöüóáè", "áðéíóúýþæö",
    "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "ąćęłńóśźż", "áéíóöőúüű", "čćđšž", "ăâîșțşţ", "çğıöşüâîû",
    "āčēģīķļņšūž", "ąčęėįšųūž", "äõöüšž", "абвгдеёжзийклмнопрстуфхцчшщъыьэюя", "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя",
    "абвгдђежзијклљмнњопрстћуфхцчџш", "αβγδεζηθικλμνξοπρστυφχψωςάέήίόύώϊϋΐΰ", "אבגדהוזחטיכלמנסעפצקרשתךםןףץ",
)  # fmt: skip
"""Letters beside a to z that one language writes: the letters of a text must fit into one of these."""
_SIGNS = frozenset("“”„‘’‚«»‹›–—…•·§°©®€£´¡¿ºª\u00a0")
_MIXED = re.compile(r"[A-Za-z][\u0370-\u05ff]|[\u0370-\u05ff][A-Za-z]")
_CASE = re.compile(r"[^\W\d_A-Z](?<=[a-zß-öø-ÿ\u0430-\u045f\u03ac-\u03ce])[А-ЯΑ-Ω]")


def decode(data: bytes) -> str:
    """The text of the bytes; what cannot be decoded becomes U+FFFD."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data.decode(name, "replace").lstrip("\ufeff")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.end >= len(data) - 3 and error.start >= len(data) - 4 and not data[: error.start].isascii():
            # The end was cut off within a character.
            return data[: error.start].decode("utf-8")
    return data.decode(_guess(_sample(data)), "replace")


def _guess(sample: bytes) -> str:
    name, fit = max(((name, _fit(sample, name)) for name in _ONE_BYTE), key=lambda pair: pair[1])
    if fit > 0.97:
        return name
    from charset_normalizer import from_bytes

    best = from_bytes(sample).best()
    return best.encoding if best else name


def _fit(sample: bytes, name: str) -> float:
    """Share of the characters beyond ASCII that are plain signs, or letters of the one language that fits best."""
    try:
        text = sample.decode(name)
    except UnicodeDecodeError:
        return 0.0
    beyond = [char for char in text if not char.isascii()]
    letters = [char.lower() for char in beyond if char not in _SIGNS]
    if not letters:
        return 1.0
    counts = {char: letters.count(char) for char in set(letters)}
    best = max(sum(count for char, count in counts.items() if char in alphabet) for alphabet in _LETTERS)
    return (best - 2 * len(_CASE.findall(text)) - len(_MIXED.findall(text))) / len(letters)


def _sample(data: bytes) -> bytes:
    """A part of the bytes that is enough to tell the encoding: from where they stop being ASCII."""
    if len(data) <= SAMPLE:
        return data
    first = next((at for at in range(0, len(data), 4096) if not data[at : at + 4096].isascii()), 0)
    return data[first : first + SAMPLE]
