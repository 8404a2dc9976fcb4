"""Forgetting that is cut off at any moment: nothing else is lost, and what a person wanted gone goes in the end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from haystack_agent.store.edge.store import EdgeStore
from ingest.pipeline import IndexOptions, forget, index_folders, status
from ingest.record.manifest import Manifest
from tests.support.indexing.toyindex import close_index, contents, open_index

STEPS = [
    (Manifest, "put_forgotten"),
    (Manifest, "put_assets"),
    (EdgeStore, "delete_assets"),
    (EdgeStore, "flush"),
    (Manifest, "drop_assets"),
    (EdgeStore, "upsert"),
    (Manifest, "drop_files"),
    (Manifest, "drop_roots"),
]


class Killed(BaseException):
    """Stands for the end of the process: no code of the program expects it."""


def killed_at(monkeypatch: pytest.MonkeyPatch, at: tuple[type, str], after: bool) -> None:
    """Let a step be the last thing that is done, or the first that is not."""
    kind, name = at
    step: Callable[..., Any] = getattr(kind, name)

    def last(*args: Any) -> None:
        if after:
            step(*args)
        raise Killed

    monkeypatch.setattr(kind, name, last)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", STEPS, ids=lambda at: at[1])
def test_cut_off_at_any_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: tuple[type, str], after: bool
) -> None:
    kept, gone = tmp_path / "kept", tmp_path / "gone"
    for folder, names in ((kept, ("one", "both")), (gone, ("two", "both", "three"))):
        folder.mkdir()
        for name in names:
            (folder / f"{name}.txt").write_text(f"text of {name}")
    index = open_index(tmp_path / "index")
    index_folders([kept], index, IndexOptions(workers=1))
    wanted = contents(index)
    index_folders([gone], index, IndexOptions(workers=1))
    before = contents(index)
    with monkeypatch.context() as cut, pytest.raises(Killed):
        killed_at(cut, at, after)
        forget(gone, index)
    close_index(index)

    index = open_index(tmp_path / "index")
    begun = bool(index.manifest.forgotten())
    assert begun is not (at[1] == "put_forgotten" and not after)
    if not begun:
        assert contents(index) == before and status(index.manifest).counts.indexed == 5
        assert forget(gone, index) == 3
    report = index_folders([], index, IndexOptions(workers=1))
    assert contents(index) == wanted and report.counts.indexed == 2
    assert status(index.manifest).unremoved == 0 and status(index.manifest).roots == (str(kept),)
    assert index.manifest.forgotten() == ()
    close_index(index)
