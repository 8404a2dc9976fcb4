"""What the documents name is there: files, folders, links, commands, options; and the README stays a front page."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from tests.support.paths import ROOT
from ui.cli import app

PACKAGES = ("haystack_agent", "ingest", "eval", "ui", "tests")
LONGEST_README = 200
MADE_BY_RUNS = {"report.md"}
"""Names of files that commands write: they look like files of the repository."""
PROGRAM = "haystack-agent"

_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_SPAN = re.compile(r"`([^`]+)`")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)*/?")
_SOURCE = re.compile(r"\.(?:py|md|js|css|html|toml|lock|json|jsonl|jinja|sqlite|tsv|svg|png)$")
_BARE = re.compile(r"\.(?:py|md|lock)$")
_OPTION = re.compile(r"--[a-z][a-z-]*")
_MODULE = re.compile(r"python -m ((?:haystack_agent|ingest|eval|ui)(?:\.\w+)*)(.*)")
_BRANCH = re.compile(r"^( *)([\w.-]+)/(?: |$)")


def documents() -> list[Path]:
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def names(paths: Iterable[Path]) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in paths]


every_document = pytest.mark.parametrize("name", names(documents()))
every_present = pytest.mark.parametrize("name", [name for name in names(documents()) if name != "CHANGELOG.md"])
"""The changelog also tells of what is no more."""


def text_of(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def code_of(text: str) -> list[str]:
    """What stands in code: the lines of indented blocks, and what is in backticks."""
    return [line.strip() for line, code in marked_lines(text) if code] + spans_of(text)


def spans_of(text: str) -> list[str]:
    """What stands in backticks, on one line each."""
    prose = "\n".join(line for line, code in marked_lines(text) if not code)
    return [" ".join(span.split()) for span in _SPAN.findall(prose)]


def marked_lines(text: str) -> Iterator[tuple[str, bool]]:
    """Each line, and whether it is of an indented block; what goes on in a list follows a line of it."""
    code = blank = True
    for line in text.splitlines():
        code = line.startswith("    ") and (blank or code)
        blank = not line.strip()
        yield line, code


# Files and folders


def paths_in(text: str) -> list[str]:
    """What in backticks can only be meant as a path of the repository."""
    return [span for span in spans_of(text) if _PATH.fullmatch(span) and is_path(span) and span not in MADE_BY_RUNS]


def is_path(span: str) -> bool:
    first, slash, _ = span.partition("/")
    return bool(slash and ((ROOT / first).exists() or _SOURCE.search(span))) or bool(not slash and _BARE.search(span))


@every_present
def test_paths_exist(name: str) -> None:
    assert not [path for path in paths_in(text_of(name)) if not (ROOT / path).exists()]


def test_paths_are_seen() -> None:
    assert len(paths_in(text_of("docs/ARCHITECTURE.md"))) > 50
    assert len(paths_in(text_of("CONTRIBUTING.md"))) > 30
    assert paths_in("`ingest/nowhere.py` `nowhere/a.py` `lost.py` `ingest/none/`") == [
        "ingest/nowhere.py", "nowhere/a.py", "lost.py", "ingest/none/",
    ]  # fmt: skip
    assert not paths_in("`owner/name` `config.toml` `questions.jsonl` `application/json` `--index`")


# Links


def anchors_of(text: str) -> set[str]:
    """The anchors of headings, as code hosts make them."""
    found: dict[str, int] = {}
    anchors = set()
    for heading in _HEADING.findall(_FENCE.sub("", text)):
        plain = re.sub(r"[^\w\- ]", "", _LINK.sub("", heading).lower()).strip().replace(" ", "-")
        anchors.add(f"{plain}-{found[plain]}" if plain in found else plain)
        found[plain] = found.get(plain, 0) + 1
    return anchors


def broken_links(document: Path, text: str) -> list[str]:
    return [target for target in _LINK.findall(text) if not resolves(document, text, target)]


def resolves(document: Path, text: str, target: str) -> bool:
    place, _, anchor = target.partition("#")
    if place.startswith(("https://", "http://")):
        return True
    path = document.parent / place if place else document
    if not path.exists() or ROOT not in path.resolve().parents:
        return False
    return not anchor or anchor in anchors_of(path.read_text("utf-8") if place else text)


@every_document
def test_links_resolve(name: str) -> None:
    assert not broken_links(ROOT / name, text_of(name))


def test_broken_links_are_seen() -> None:
    text = (
        "# One `two`, three\n[a](#one-two-three) [b](#nowhere) [c](lost.md) ![d](docs/USE.md#settings) [e](/etc/passwd)"
    )
    assert broken_links(ROOT / "README.md", text) == ["#nowhere", "lost.md", "/etc/passwd"]


def test_every_document_is_found_from_the_readme() -> None:
    linked = {target.partition("#")[0] for target in _LINK.findall(text_of("README.md"))}
    assert set(names(documents())) - {"README.md"} <= linked


def test_the_readme_is_a_front_page() -> None:
    assert len(text_of("README.md").splitlines()) <= LONGEST_README


# Commands and options


@cache
def commands() -> dict[str, set[str]]:
    """The options of each command by its words, and under the empty name those of the program."""
    found: dict[str, set[str]] = {}

    def walk(command: Any, words: str) -> None:
        found[words] = {"--help", *(name for one in command.params for name in (*one.opts, *one.secondary_opts))}
        for name, below in getattr(command, "commands", {}).items():
            walk(below, f"{words} {name}".strip())

    walk(typer.main.get_command(app), "")
    return found


def options_of(command: str) -> set[str]:
    """The options of a command and of all that are below it."""
    return set().union(*(some for name, some in commands().items() if f"{name} ".startswith(f"{command} ".lstrip())))


def unknown_in(code: str) -> list[str]:
    """Commands and options of ours that a piece of code names and that there are not."""
    if module := _MODULE.search(code):
        return unknown_of_module(module[1], module[2])
    words = words_of(code)
    if words[:1] == [PROGRAM]:
        return unknown_of_command("", words[1:])
    if words and words[0] in commands():
        return unknown_of_command("", words)
    return unknown_options(words, options_of("")) if words and words[0].startswith("--") else []


def unknown_of_command(command: str, words: list[str]) -> list[str]:
    """The first word that is no command below this one, or options that this one has not."""
    below = {name for name in commands() if name and name.rpartition(" ")[0] == command}
    first = words[0] if words else ""
    deeper = f"{command} {first}".strip()
    if deeper in below:
        return unknown_of_command(deeper, words[1:])
    if below and first.isalpha() and first.islower():
        return [first]
    return unknown_options(words, commands()[command] if first.startswith("--") or not below else options_of(command))


def unknown_options(words: list[str], known: set[str]) -> list[str]:
    return [word for word in words if word.startswith("--") and word not in known]


def words_of(code: str) -> list[str]:
    """The words of one command, without a comment; none where it is no command."""
    try:
        return shlex.split(code.removeprefix("$ "), comments=True)
    except ValueError:
        return []


def unknown_of_module(module: str, rest: str) -> list[str]:
    """The module, or options of it that its source does not name."""
    path = ROOT / module.replace(".", "/")
    file = path.with_suffix(".py")
    if not file.is_file() and not (path / "__main__.py").is_file():
        return [module]
    source = "".join(one.read_text("utf-8") for one in ([file] if file.is_file() else path.glob("*.py")))
    return [option for option in _OPTION.findall(rest) if f'"{option}"' not in source]


def unknown_to_the_program(text: str) -> list[str]:
    pieces = [part.strip() for code in code_of(text) for part in code.split("&&")]
    return [f"{unknown} in: {piece}" for piece in pieces for unknown in unknown_in(piece)]


@every_present
def test_commands_and_options_exist(name: str) -> None:
    assert not unknown_to_the_program(text_of(name))


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("haystack-agent serach QUESTION", ["serach"]),
        ("haystack-agent ask --moda direct", ["--moda"]),
        ("haystack-agent --verison", ["--verison"]),
        ("haystack-agent eval run FOLDER --profile x", ["--profile"]),
        ("haystack-agent uclip bnak OUT", ["bnak"]),
        ("haystack-agent COMMAND --help", []),
        ("index --gone --going", ["--going"]),
        ("--top-k K", []),
        ("--top-n N", ["--top-n"]),
        ("python -m eval.haystack hay --items 46000 --itens 7", ["--itens"]),
        ("python -m eval.hay stack", ["eval.hay"]),
        ("haystack-agent eval make Q && haystack-agent eval run Q --index default", []),
        ("$ haystack-agent ask 'what?'    # --nothing", []),
        ("ruff format --check .", []),
    ],
)
def test_wrong_commands_are_seen(code: str, wrong: list[str]) -> None:
    assert [one.partition(" in: ")[0] for one in unknown_to_the_program(f"    {code}")] == wrong
    assert [one.partition(" in: ")[0] for one in unknown_to_the_program(f"Run `{code}`.")] == wrong


def test_commands_are_seen() -> None:
    named = {words[1] for code in code_of(text_of("docs/USE.md")) if (words := words_of(code))[:1] == [PROGRAM]}
    assert {"index", "search", "ask", "chat", "ui", "open", "status", "forget", "models", "mcp"} <= named


@every_present
def test_what_is_made_has_a_target(name: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    assert {"demo", "test"} <= targets
    made = [words[1] for code in code_of(text_of(name)) if len(words := words_of(code)) > 1 and words[0] == "make"]
    assert set(made) <= targets


# The tree


def tree() -> set[str]:
    """Folders in the tree of the architecture, read from how far each line is indented."""
    found: set[str] = set()
    above: list[tuple[int, str]] = []
    block = text_of("docs/ARCHITECTURE.md").partition("## The tree\n")[2].partition("\n## ")[0]
    for line in block.splitlines():
        if branch := _BRANCH.match(line):
            depth = len(branch[1])
            above = [one for one in above if one[0] < depth]
            above.append((depth, branch[2]))
            found.add("/".join(name for _, name in above))
    return found


def folders_with_modules() -> set[str]:
    files = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return {name for path in files if "node_modules" not in (name := path.parent.relative_to(ROOT).as_posix())}


def test_the_tree_has_every_folder_with_modules() -> None:
    assert len(folders_with_modules()) > 40
    assert not folders_with_modules() - tree()


def test_every_folder_of_the_tree_exists() -> None:
    assert len(tree()) > 60
    assert not [folder for folder in sorted(tree()) if not (ROOT / folder).is_dir()]
