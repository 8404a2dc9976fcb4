"""What modules import is declared, what is declared is imported, and both lock files hold it."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pathspec
import pytest

from tests.support.paths import ROOT

PACKAGES = ("haystack_agent", "ingest", "eval", "ui")
NEVER_IMPORTED = {
    "python-multipart": "FastAPI and Starlette read uploaded pictures with it",
    "coverage": "make coverage",
    "hatchling": "builds the wheel",
    "lxml-stubs": "types for mypy",
    "mypy": "make check",
    "pytest-timeout": "a plugin of pytest",
    "pytest-xdist": "a plugin of pytest",
    "ruff": "make check",
    "types-openpyxl": "types for mypy",
    "types-psutil": "types for mypy",
}
"""What is declared though no module names it, and what it is there for."""
BY_NAME = {"find_spec", "import_module", "importorskip"}
"""Functions that are given the name of a module."""


@cache
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def normal(name: str) -> str:
    """A name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def named(requirements: Iterable[str]) -> set[str]:
    return {normal(found[0]) for one in requirements if (found := re.match(r"[\w.-]+", one))}


def to_run() -> set[str]:
    return named(project()["project"]["dependencies"])


def to_develop() -> set[str]:
    return named(project()["dependency-groups"]["dev"])


def optional() -> set[str]:
    return named(one for extra in project()["project"]["optional-dependencies"].values() for one in extra)


def shipped(inside: bool) -> list[Path]:
    """The modules that the wheel holds or, from the packages and the tests, those that it does not."""
    left_out = pathspec.GitIgnoreSpec.from_lines(project()["tool"]["hatch"]["build"]["targets"]["wheel"]["exclude"])
    paths = [path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    if inside:
        return [path for path in paths if not left_out.match_file(path)]
    tests = [path.relative_to(ROOT) for path in (ROOT / "tests").rglob("*.py") if "node_modules" not in path.parts]
    return [path for path in paths if left_out.match_file(path)] + tests


def modules_named(source: str) -> set[str]:
    """The top-level modules that a program imports, or asks for by name."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import():
                names.update(alias.name for alias in node.names)
            case ast.ImportFrom(module=str(module), level=0):
                names.add(module)
            case ast.Call(args=[ast.Constant(value=str(module)), *_]) if called(node) in BY_NAME:
                names.add(module)
    return {name.partition(".")[0] for name in names} - sys.stdlib_module_names - {*PACKAGES, "tests"}


def called(call: ast.Call) -> str:
    return ast.unparse(call.func).rpartition(".")[2]


def needed(paths: Iterable[Path]) -> dict[str, frozenset[str]]:
    """Each module that is imported, with the distributions that bring it."""
    brings = packages_distributions()
    modules = {module for path in paths for module in modules_named((ROOT / path).read_text("utf-8"))}
    return {module: frozenset(normal(one) for one in brings.get(module, [module])) for module in modules}


def undeclared(wanted: dict[str, frozenset[str]], declared: set[str]) -> list[str]:
    return sorted(module for module, brought_by in wanted.items() if not brought_by & declared)


def test_what_the_wheel_imports_is_declared() -> None:
    wanted = needed(shipped(inside=True))
    assert len(wanted) > 30, "no imports found: the test looks in the wrong place"
    assert undeclared(wanted, to_run() | optional()) == []


def test_what_only_developing_imports_is_declared() -> None:
    assert undeclared(needed(shipped(inside=False)), to_run() | to_develop()) == []


def test_what_is_declared_is_imported_or_said_to_be_for_something_else() -> None:
    everything = needed([*shipped(inside=True), *shipped(inside=False)])
    imported = {name for brought_by in everything.values() for name in brought_by}
    declared = to_run() | to_develop() | optional()
    assert declared - imported - set(NEVER_IMPORTED) == set()
    assert set(NEVER_IMPORTED) - declared == set(), "no longer declared"
    assert set(NEVER_IMPORTED) & imported == set(), "imported after all"


def test_running_needs_nothing_that_only_developing_imports() -> None:
    imported = {name for brought_by in needed(shipped(inside=True)).values() for name in brought_by}
    assert to_run() - imported - set(NEVER_IMPORTED) == set()


def test_imports_are_seen_wherever_they_stand() -> None:
    assert modules_named("import os\ndef late():\n    from torch.nn import Linear\n    import PIL.Image") == {
        "torch",
        "PIL",
    }
    assert modules_named("find_spec('decord'); importlib.import_module('pymupdf'); print('numpy')") == {
        "decord",
        "pymupdf",
    }
    assert undeclared({"cv2": frozenset({"opencv-python-headless"})}, {"rapidocr"}) == ["cv2"]


def locked(name: str) -> dict[str, str]:
    """What a lock file holds: names and versions."""
    return {
        normal(one): version
        for one, version in re.findall(r"^([\w.-]+)==(\S+)", (ROOT / name).read_text("utf-8"), re.M)
    }


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_every_pin_has_a_hash_and_no_host_is_named(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    pins = re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:]
    assert len(pins) > 30
    assert all("--hash=sha256:" in pin for pin in pins)
    assert "://" not in text
    assert "--index" not in text


def test_the_lock_files_hold_what_is_declared_and_agree() -> None:
    running, developing = locked("requirements.lock"), locked("requirements-dev.lock")
    assert to_run() - set(running) == set()
    assert to_develop() - set(developing) == set()
    assert not [name for name in running.keys() & developing.keys() if running[name] != developing[name]]
    assert not {"pytest", "mypy", "ruff", "mteb", "playwright"} & set(running)
