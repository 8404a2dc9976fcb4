"""The page's scripts and styles: small rooms, short lines, and no module that needs one that needs it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import pytest

STATIC = Path(str(files("ui.web") / "static"))
MOST_FILES = 14
LONGEST_LINE = 120
_IMPORT = re.compile(
    r"""^\s*(?:import|export)\s(?:[\w\s{},*$]*\bfrom\s)?\s*["'](?P<named>[^"']+)["']"""
    r"""|\bimport\(\s*["'](?P<late>[^"']+)["']""",
    re.MULTILINE,
)
_LINKED = re.compile(r'(?:src|href)="/static/([^"]+)"')

Imports = Mapping[Path, frozenset[Path]]


def imports(folder: Path) -> Imports:
    """What each module below a folder imports."""
    return {path: _imported(path) for path in sorted(folder.rglob("*.js"))}


def _imported(path: Path) -> frozenset[Path]:
    names = (found["named"] or found["late"] for found in _IMPORT.finditer(path.read_text("utf-8")))
    return frozenset((path.parent / name).resolve() for name in names)


def circle(graph: Imports) -> list[Path]:
    """Modules each of which imports the next, and the last the first; empty if there are none."""
    done: set[Path] = set()

    def walk(path: Path, way: list[Path]) -> list[Path]:
        if path in way:
            return way[way.index(path) :]
        if path in done:
            return []
        for imported in sorted(graph.get(path, ())):
            if found := walk(imported, [*way, path]):
                return found
        done.add(path)
        return []

    return next(filter(None, (walk(path, []) for path in graph)), [])


def _written(folder: Path, modules: Mapping[str, str]) -> Imports:
    for name, text in modules.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return imports(folder.resolve())


def test_no_module_needs_one_that_needs_it() -> None:
    assert [str(path.relative_to(STATIC)) for path in circle(imports(STATIC))] == []


@pytest.mark.parametrize(
    "back",
    [
        'import { a } from "../a.js";',
        'import {\n  a,\n  other,\n} from "../a.js";',
        "import '../a.js';",
        'export * from "../a.js";',
        'const late = () => import("../a.js");',
    ],
)
def test_a_circle_is_found(tmp_path: Path, back: str) -> None:
    modules = {"a.js": 'import { b } from "./b.js";', "b.js": 'import { c } from "./room/c.js";', "room/c.js": back}
    found = circle(_written(tmp_path, modules))
    assert sorted(path.name for path in found) == ["a.js", "b.js", "c.js"]


def test_what_is_only_said_or_needed_twice_is_no_circle(tmp_path: Path) -> None:
    modules = {
        "a.js": 'import { b } from "./b.js";\nimport { c } from "./c.js";',
        "b.js": 'import { c } from "./c.js";',
        "c.js": '/** @import { A } from "./a.js" */\n// import { a } from "./a.js";\nexport const c = 1;',
    }
    assert circle(_written(tmp_path, modules)) == []


def test_every_import_and_every_link_leads_to_a_file() -> None:
    graph = imports(STATIC)
    assert graph
    assert [path for imported in graph.values() for path in imported if not path.is_file()] == []
    linked = [name for page in STATIC.glob("*.html") for name in _LINKED.findall(page.read_text("utf-8"))]
    assert linked
    assert [name for name in linked if not (STATIC / name).is_file()] == []


def test_every_script_is_reached_from_the_page() -> None:
    graph = imports(STATIC)
    reached, ways = set[Path](), [STATIC / "app.js"]
    while ways:
        path = ways.pop()
        if path not in reached:
            reached.add(path)
            ways += graph[path]
    unneeded = {path.name for path in graph.keys() - reached}
    assert unneeded == {"types.js"}, "only types are named in comments alone"


def test_no_room_is_crowded() -> None:
    sizes = Counter(path.parent for path in STATIC.rglob("*") if path.is_file())
    assert {str(folder): size for folder, size in sizes.items() if size > MOST_FILES} == {}


def test_no_line_is_long() -> None:
    texts = [path for path in STATIC.rglob("*") if path.suffix in {".js", ".css", ".html"}]
    assert texts
    long = [
        f"{path.relative_to(STATIC)}:{number}"
        for path in texts
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if len(line) > LONGEST_LINE
    ]
    assert long == []
