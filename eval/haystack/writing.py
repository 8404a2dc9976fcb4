"""Writes the files of a haystack, in several processes; what is there already stays."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache, partial
from multiprocessing.connection import wait
from pathlib import Path

from eval.haystack.asking import question_lines
from eval.haystack.media.emoji import require_glyphs
from eval.haystack.plan import FileRecipe, HaystackPlan
from eval.questions import FILE_NAME
from haystack_agent.errors import UsageError
from haystack_agent.system.whole_files import write_whole

CARD = "haystack.json"
MANIFEST = "items.jsonl"
_CHUNK = 50
"""Items that a worker is given at a time; one that is stopped finishes them first."""
_TOLD = 1000
"""Items between two lines of progress."""


def make_haystack(
    folder: Path, recipe: FileRecipe, items: int, questions: int, workers: int, say: Callable[[str], None]
) -> None:
    """Write or finish a haystack: the files, then the manifest and the questions.

    The files do not depend on `workers`, nor those of the first items on `items`.

    Raises:
        UsageError: the folder holds something else or cannot be written, fonts or names are missing, a number makes no
            sense, or a worker was killed.
    """
    recipe.check()
    if items < 1 or workers < 1 or questions < 0:
        raise UsageError(f"There are no {items} items, {questions} questions, {workers} workers: give larger numbers.")
    plan = HaystackPlan(recipe)
    require_glyphs()
    lines = question_lines(plan, recipe.seed, items, questions)
    _claim(folder, recipe, items)
    try:
        manifest: list[str] = []
        for part in _parts(folder, recipe, items, workers):
            manifest += part
            if len(manifest) % _TOLD == 0 or len(manifest) == items:
                say(f"{len(manifest)} of {items} items")
        _write(folder / MANIFEST, "".join(manifest).encode())
        _write(folder / FILE_NAME, "".join(_json(line) for line in lines).encode())
    except OSError as error:
        raise UsageError(f"{folder} cannot be written ({error}): put that right and run it again.") from error
    except BrokenProcessPool as error:
        raise UsageError("A worker was killed, perhaps for want of memory: run it again, it goes on.") from error


def _claim(folder: Path, recipe: FileRecipe, items: int) -> None:
    """Write the recipe into a new folder, or make sure that the one in it is the same."""
    card = json.dumps(recipe.card(), indent=1).encode() + b"\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        there = {path.name for path in folder.iterdir()} - {f".{CARD}"}
    except OSError as error:
        raise UsageError(f"{folder} cannot be used ({error.strerror}): name a folder that can be written.") from error
    if there and CARD not in there:
        raise UsageError(f"{folder} holds other files: name a new folder.")
    if there and (folder / CARD).read_bytes() != card:
        raise UsageError(
            f"{folder} was made with other options ({CARD} in it says which): use the same, or another folder."
        )
    if MANIFEST in there and (known := (folder / MANIFEST).read_bytes().count(b"\n")) > items:
        raise UsageError(
            f"{folder} has {known} items already, --items asks for {items}: the first lines of {MANIFEST} are"
            " a smaller haystack."
        )
    _write(folder / CARD, card)


def _parts(folder: Path, recipe: FileRecipe, items: int, workers: int) -> Iterator[list[str]]:
    """Lines of the manifest, in order, as the files are written."""
    chunks = [range(start, min(start + _CHUNK, items)) for start in range(0, items, _CHUNK)]
    write = partial(_write_chunk, folder, recipe)
    if workers == 1:
        yield from map(write, chunks)
        return
    # A forked child could inherit a lock that a library holds.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_start_worker) as pool:
        yield from pool.map(write, chunks)


def _start_worker() -> None:
    """Leave Ctrl-C to the parent, and end when it is gone: a killed parent tells nobody."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        sentinel = parent.sentinel
        threading.Thread(target=lambda: (wait([sentinel]), os._exit(1)), daemon=True).start()


@cache
def _plan(recipe: FileRecipe) -> HaystackPlan:
    return HaystackPlan(recipe)


def _write_chunk(folder: Path, recipe: FileRecipe, indexes: Sequence[int]) -> list[str]:
    plan = _plan(recipe)
    lines = []
    for index in indexes:
        item = plan.item(index)
        path = plan.path(index, item)
        target = folder / path
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            _write(target, item.draw())
        entry = {"index": index, "path": path, "kind": item.kind.value, "modality": item.modality.value}
        lines.append(_json({**entry, "language": item.language, "texts": item.texts()}))
    return lines


def _json(line: dict[str, object]) -> str:
    return json.dumps(line, ensure_ascii=False) + "\n"


def _write(path: Path, content: bytes) -> None:
    """Write a file at once, and only where it says something new."""
    if path.exists() and path.read_bytes() == content:
        return
    write_whole(path, content)
