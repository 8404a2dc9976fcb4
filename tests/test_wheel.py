"""The wheel: what is in it, and that what it installs indexes and answers outside the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PACKAGES = ("haystack_agent", "ingest", "eval", "ui")
LEFT_OUT = {
    "eval/figures/indexing-by-size.svg",
    "eval/figures/recall-by-size.svg",
    "eval/figures/search-by-size.svg",
    "eval/pictogram/results.md",
    "eval/pictogram/world/make_vocabulary.py",
    "haystack_agent/encoders/towers/make_minilm_graph.py",
    "haystack_agent/lexicon/make_lexicon.py",
    "haystack_agent/text/make_months.py",
    "ui/web/screenshots.py",
    "ui/web/shots/answer.png",
    "ui/web/shots/dark.png",
    "ui/web/shots/phone.png",
    "ui/web/speed.py",
}
"""What stands in the packages and is not installed: it makes files of the checkout, or only documents show it."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, made by the build backend that is installed: nothing is fetched."""
    out = tmp_path_factory.mktemp("wheel")
    program([sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(out)], ROOT)
    (found,) = out.glob("*.whl")
    return found


@dataclass(frozen=True)
class Installed:
    """An environment that the wheel is installed in, and a folder outside the checkout to call it from."""

    programs: Path
    home: Path

    def run(self, name: str, *arguments: str) -> str:
        return program([str(self.programs / name), *arguments], self.home, self._environment())

    def _environment(self) -> dict[str, str]:
        """Without the checkout in the path, and with data and configuration of its own."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "HAYSTACK_"))}
        return kept | {"HAYSTACK_DATA_DIR": str(self.home / "data"), "HOME": str(self.home)}


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """A new environment with this wheel and, through a path file, the libraries of the one that runs the tests."""
    folder, home = tmp_path_factory.mktemp("environment"), tmp_path_factory.mktemp("home")
    venv.create(folder, with_pip=False)
    paths = {"base": str(folder), "platbase": str(folder)}
    programs = Path(sysconfig.get_path("scripts", "venv", paths))
    python = programs / Path(sys.executable).name
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    program([*pip, "install", "--quiet", "--no-deps", "--no-index", "--no-compile", str(wheel)], home)
    # A line of a path file is a folder to look in; path files that lie in that folder itself are not followed, so that
    # the editable installation of this checkout is not seen.
    libraries = Path(sysconfig.get_path("purelib", "venv", paths)) / "libraries.pth"
    libraries.write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    return Installed(programs, home)


def program(command: list[str], folder: Path, environment: dict[str, str] | None = None) -> str:
    """What a program writes, which ends well."""
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def in_the_checkout() -> set[str]:
    files = (path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file())
    return {path.relative_to(ROOT).as_posix() for path in files if "__pycache__" not in path.parts}


def test_the_wheel_holds_the_packages_and_their_licence(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    metadata = {name for name in names if ".dist-info/" in name}
    assert {name.partition(".dist-info/")[2] for name in metadata} == {
        "METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE", "licenses/NOTICE",
    }  # fmt: skip
    assert in_the_checkout() - (names - metadata) == LEFT_OUT
    assert (names - metadata) - in_the_checkout() == set()


def test_the_wheel_holds_what_the_program_reads(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "haystack_agent/lexicon/lexicon.sqlite",
        "haystack_agent/models/minilm/graph.onnx",
        "haystack_agent/models/pictogram/clip/model.safetensors",
        "haystack_agent/models/pictogram/projector.safetensors",
        "haystack_agent/text/months.json",
        "haystack_agent/uclip/vocabulary.jsonl.xz",
        "eval/haystack/words/en.toml",
        "eval/reports/report.html.jinja",
        "ui/web/static/app.js",
        "ui/web/static/evidence/viewer.js",
        "ui/web/static/index.html",
    } <= names


def test_the_installed_code_is_used_and_not_the_checkout(installed: Installed) -> None:
    code = f"import {', '.join(PACKAGES)}; print(*(one.__file__ for one in ({', '.join(PACKAGES)})), sep='\\n')"
    places = [Path(line) for line in installed.run(Path(sys.executable).name, "-P", "-c", code).splitlines()]
    assert len(places) == len(PACKAGES)
    assert all(place.is_relative_to(installed.programs.parent) for place in places)


def test_what_is_installed_indexes_and_answers(installed: Installed) -> None:
    files = installed.home / "files"
    files.mkdir()
    (files / "lease.txt").write_text("The rent of the flat in Alder Street is 912 euros a month.\n", "utf-8")
    (files / "bees.txt").write_text("The bees were fed with sugar water on 3 October.\n", "utf-8")
    installed.run("haystack-agent", "index", str(files))
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    answer = json.loads(installed.run("haystack-agent", "ask", "--json", "How much is the rent of the flat?"))
    assert "912" in answer["answer"]
    assert answer["citations"][0]["path"] == str(files / "lease.txt")
    assert installed.run("haystack-agent", "--version").split() == ["haystack-agent", version]
