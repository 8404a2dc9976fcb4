"""A killed run, whenever it is killed, followed by another one, ends like a run that nobody disturbed."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from ingest.pipeline import IndexOptions, index_folders, status
from tests.support.indexing.toyindex import close_index, contents, open_index
from tests.support.paths import ROOT

SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
if __name__ == "__main__":
    from tests.support.indexing.toyindex import open_index, close_index
    from ingest.pipeline import IndexOptions, index_folders
    index = open_index(Path(sys.argv[2]))
    print("open", flush=True)
    index_folders([Path(sys.argv[3])], index, IndexOptions(workers=1))
    print("done", flush=True)
    close_index(index)
"""
KILLS = 6


def make_folder(folder: Path) -> None:
    folder.mkdir()
    for number in range(24):
        lines = [f"text {number} {line}" for line in range(1 + number * 7)]
        (folder / f"{number:02}.txt").write_text("\n".join(["!NAP 0.02", *lines]))
    (folder / "bad.txt").write_text("half\n" * 70 + "!EXIT 1")


def start(index: Path, folder: Path) -> subprocess.Popen[str]:
    code = [sys.executable, "-c", SCRIPT, str(ROOT), str(index), str(folder)]
    process = subprocess.Popen(code, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    return process


def kill(process: subprocess.Popen[str]) -> None:
    workers = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    output, _ = process.communicate()
    assert process.returncode in (-signal.SIGKILL, 0), output
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive, "workers must not outlive their parent"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="workers end with a killed parent on Linux only")
def test_killed_at_random_moments(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    make_folder(folder)
    calm = open_index(tmp_path / "calm")
    began = time.monotonic()
    index_folders([folder], calm, IndexOptions(workers=1))
    span = time.monotonic() - began
    expected, counts = contents(calm), status(calm.manifest).counts
    close_index(calm)
    assert counts.indexed == 24 and counts.failed == 1

    chance = random.Random(4)  # noqa: S311 - moments, not secrets
    for number in range(KILLS):
        # One index is killed again and again, so that its later runs begin with what earlier ones left.
        process = start(tmp_path / "killed", folder)
        time.sleep(chance.uniform(0, span * 0.9))
        kill(process)
        (folder / f"{number:02}.txt").touch()
    index = open_index(tmp_path / "killed")
    index_folders([folder], index, IndexOptions(workers=1))
    fresh = open_index(tmp_path / "fresh")
    index_folders([folder], fresh, IndexOptions(workers=1))
    assert contents(index) == contents(fresh)
    assert [entry[:3] for entry in contents(index)] == [entry[:3] for entry in expected]
    ended, calm_end = status(index.manifest), status(fresh.manifest)
    assert replace(ended, problems=()) == replace(calm_end, problems=())
    # How often the bad file was tried depends on the moments: only what became of it must be the same.
    assert [(one.path, one.state) for one in ended.problems] == [(one.path, one.state) for one in calm_end.problems]
    close_index(index)
    close_index(fresh)
