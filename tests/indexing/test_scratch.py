"""Temporary folders: those of killed processes go at the next start, those of living ones stay."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ingest.workers.scratch import make_scratch, sweep_scratch
from tests.support.paths import ROOT

HOLDER = """
import sys
from ingest.workers.scratch import make_scratch
with make_scratch() as folder:
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made, here and in processes started."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


@pytest.fixture
def holder(temporary: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A process with a temporary folder, and the folder."""
    command = [sys.executable, "-c", HOLDER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        yield process, Path(process.stdout.readline().strip())
        process.kill()


def test_folders_of_killed_processes_go_and_those_of_living_ones_stay(
    temporary: Path, holder: tuple[subprocess.Popen[str], Path]
) -> None:
    process, folder = holder
    (folder / "page.jpg").write_bytes(b"private")
    with make_scratch() as own:
        assert folder.is_dir()
        process.kill()
        process.wait()
        sweep_scratch()
        assert not folder.exists() and own.is_dir()
    assert list(temporary.iterdir()) == []


def test_what_is_not_ours_or_just_being_made_stays(temporary: Path, tmp_path: Path) -> None:
    (temporary / "haystack-scratch.log").touch()
    (temporary / "haystack-scratch-new").mkdir()
    (tmp_path / "precious").mkdir()
    (temporary / "haystack-scratch-link").symlink_to(tmp_path / "precious")
    sweep_scratch()
    assert len(list(temporary.iterdir())) == 3 and (tmp_path / "precious").is_dir()
    os.utime(temporary / "haystack-scratch-new", (1, 1))
    sweep_scratch()
    assert not (temporary / "haystack-scratch-new").exists()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the page's own processes end with it on Linux")
def test_a_killed_page_leaves_only_what_the_next_start_removes(temporary: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "HAYSTACK_DATA_DIR": str(tmp_path / "data"), "TMPDIR": str(temporary)}
    command = [sys.executable, "-P", "-m", "ui.cli", "ui", "--port", "0", "--no-browser"]
    page = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert page.stdout is not None and page.stdout.readline().startswith(b"Open http")
    drawing = psutil.Process(page.pid).children(recursive=True)
    sweep_scratch()
    in_use = set(temporary.iterdir())
    page.send_signal(signal.SIGKILL)
    page.communicate()
    psutil.wait_procs(drawing, timeout=30)
    assert in_use and set(temporary.iterdir()) == in_use
    sweep_scratch()
    assert list(temporary.iterdir()) == []
