"""Writes `months.json`: month names of many languages, from the CLDR data in Babel.

Run as ``python -m haystack_agent.text.make_months`` where Babel is installed; the package itself does not need Babel.
"""

from __future__ import annotations

import json
from pathlib import Path

from babel import Locale

from haystack_agent.text.fold import fold

LANGUAGES = """
af am ar az be bg bn bs ca cs cy da de el en es et eu fa fi fil fr ga gl gu he hi hr hu hy id is it ja ka kk km kn ko
ky lo lt lv mk ml mn mr ms my nb ne nl nn pa pl ps pt ro ru si sk sl sq sr sv sw ta te th tr uk ur uz vi zh zu
"""


def month_names() -> dict[str, list[int]]:
    """Folded month names with the months they mean: Croatian and Czech ``listopad`` differ."""
    table: dict[str, set[int]] = {}
    for language in LANGUAGES.split():
        months = Locale.parse(language).months
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in months[context][width].items():
                    folded = fold(name).rstrip(".")
                    if len(folded) >= 3 and not any(char.isdigit() or char.isspace() for char in folded):
                        table.setdefault(folded, set()).add(number)
    return {name: sorted(numbers) for name, numbers in sorted(table.items())}


def main() -> None:
    """Write the table beside this module."""
    target = Path(__file__).with_name("months.json")
    target.write_text(json.dumps(month_names(), ensure_ascii=False, separators=(",", ":")) + "\n", "utf-8")


if __name__ == "__main__":
    main()
