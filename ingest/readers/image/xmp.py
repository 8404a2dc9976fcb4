"""Captions, keywords and dates in an XMP packet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.etree import _Element

_MAX_PACKET = 2 << 20
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_PREFIXES = {
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://ns.adobe.com/tiff/1.0/": "tiff",
    "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/": "iptc",
}


def read_xmp(packet: bytes) -> dict[str, list[str]]:
    """Values by prefixed name such as ``dc:title``, the default language first; empty where the packet is no XMP."""
    from lxml import etree

    if not packet or len(packet) > _MAX_PACKET:
        return {}
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=True)
    try:
        root = etree.fromstring(packet.strip(b"\x00 \r\n\t"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return {}
    values: dict[str, list[str]] = {}
    if root is None:
        return {}
    for description in root.iter(f"{_RDF}Description"):
        for name, value in _properties(description):
            values.setdefault(name, []).append(value)
    return values


def _properties(description: _Element) -> Iterator[tuple[str, str]]:
    for key, value in description.attrib.items():
        name = _prefixed(str(key))
        if name and str(value).strip():
            yield name, str(value).strip()
    for child in description:
        name = _prefixed(child.tag) if isinstance(child.tag, str) else None
        if name is None:
            continue
        items = list(child.iter(f"{_RDF}li"))
        items.sort(key=lambda item: item.get("{http://www.w3.org/XML/1998/namespace}lang") != "x-default")
        for text in ("".join(map(str, item.itertext())) for item in items) if items else [child.text or ""]:
            if text.strip():
                yield name, text.strip()


def _prefixed(tag: str) -> str | None:
    space, _, name = tag.removeprefix("{").partition("}")
    prefix = _PREFIXES.get(space)
    return f"{prefix}:{name}" if prefix and name else None
