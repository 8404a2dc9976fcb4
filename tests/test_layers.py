"""Who may import whom, and what is loaded before it is needed."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

LAYERS = ("haystack_agent", "ingest", "eval", "ui")
"""A package may import itself and those before it."""
HEAVY = ("torch", "transformers", "pymupdf", "rapidocr", "onnxruntime", "cv2", "av", "decord", "gradio")
HEAVY_TOO = (
    "langchain", "langchain_core", "qdrant_client", "qdrant_edge", "sentence_transformers", "docx", "openpyxl",
    "pyarrow", "ir_measures", "matplotlib", "mcp", "starlette", "uvicorn",
)  # fmt: skip


def modules_of(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imported_by(path: Path) -> set[str]:
    """Names of the packages that a module imports anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the direction"
            names.add((node.module or "").partition(".")[0])
    return names


def loaded_after(code: str) -> set[str]:
    """Top-level modules in memory after some code ran in a new process."""
    program = f"{code}\nimport sys, json; print(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1, "importing prints something"
    return set(json.loads(done.stdout))


@pytest.mark.parametrize("package", LAYERS)
def test_a_package_imports_only_those_before_it(package: str) -> None:
    forbidden = set(LAYERS[LAYERS.index(package) + 1 :]) | {"tests"}
    assert modules_of(package), "no modules found: the test looks in the wrong place"
    wrong = {str(path.relative_to(ROOT)): imported_by(path) & forbidden for path in modules_of(package)}
    assert not {path: names for path, names in wrong.items() if names}


def test_the_direction_check_sees_imports_inside_functions(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(
        "def late():\n    from ui.cli import app\n    import ingest.files.sniff\n    return app, ingest\n", "utf-8"
    )
    assert imported_by(module) == {"ui", "ingest"}


@pytest.mark.parametrize(
    "module", ["haystack_agent", "ui.cli", "haystack_agent.records", "haystack_agent.index_location"]
)
def test_the_command_line_loads_nothing_heavy(module: str) -> None:
    assert not loaded_after(f"import {module}") & {*HEAVY, *HEAVY_TOO, "numpy", "PIL"}


def test_settings_load_nothing_heavy() -> None:
    assert not loaded_after("from haystack_agent.settings import load_settings") & {*HEAVY, *HEAVY_TOO, "numpy", "PIL"}


LIBRARY_OF = {"haystack_agent.store.edge.store": "qdrant_edge", "haystack_agent.store.server.store": "qdrant_client"}
"""Modules that, with those of their package, wrap a library and are themselves imported only when it is needed."""


SERVERS = ("ui.serving.bounded_connections", "ui.mcp", "ui.web")
"""Modules of a server, which its command imports when it runs."""


def wraps(name: str) -> bool:
    # A LangChain retriever is a subclass of LangChain's class, so its module cannot do without.
    packages = [module.rpartition(".")[0] for module in LIBRARY_OF]
    return name.startswith((*packages, *SERVERS)) or "langchain" in name.rpartition(".")[2]


def test_no_module_loads_anything_heavy_when_imported() -> None:
    paths = [path.relative_to(ROOT).with_suffix("") for package in LAYERS for path in modules_of(package)]
    names = [name for name in (".".join(path.parts).removesuffix(".__init__") for path in paths) if not wraps(name)]
    assert len(names) > 50
    code = f"import importlib\nfor name in {names!r}:\n    importlib.import_module(name)"
    assert not loaded_after(code) & {*HEAVY, *HEAVY_TOO}


@pytest.mark.parametrize(("module", "library"), LIBRARY_OF.items())
def test_a_store_loads_its_own_library_only(module: str, library: str) -> None:
    assert loaded_after(f"import {module}") & {*HEAVY, *HEAVY_TOO} == {library}
