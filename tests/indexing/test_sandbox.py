from __future__ import annotations

import os
import sys
import threading
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from haystack_agent.errors import (
    EncryptedFile,
    HaystackError,
    ModelUnavailable,
    ReadCutShort,
    ReadFailed,
    ReadLimitExceeded,
    UnsupportedFile,
)
from haystack_agent.records import Piece
from ingest.files.hashing import FileChanged, FileStat, stat_of
from ingest.readers.protocol import Source, Warned
from ingest.workers.quiet import quiet
from ingest.workers.sandbox import FileEnded, FileRead, Limits, SandboxOptions, read_files
from tests.support.indexing.toyreaders import registry

LIMITS = Limits(silent=1.0, total=20.0, memory=400 << 20)


def task(folder: Path, name: str, *lines: str) -> tuple[Source, FileStat]:
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return Source(path, name, "txt"), stat_of(path.stat())


def run(
    tasks: list[tuple[Source, FileStat]], options: SandboxOptions | None = None
) -> tuple[dict[str, ReadFailed | None], dict[str, list[Piece]], list[str]]:
    options = options or SandboxOptions(workers=1, limits=lambda _: LIMITS)
    ends: dict[str, ReadFailed | None] = {}
    pieces: dict[str, list[Piece]] = {}
    warnings: list[str] = []
    with closing(read_files(tasks, registry(), options)) as events:
        for event in events:
            if isinstance(event, FileRead):
                pieces.setdefault(event.source.asset_id, []).extend(e for e in event.events if isinstance(e, Piece))
                warnings.extend(e.message for e in event.events if isinstance(e, Warned))
            elif isinstance(event, FileEnded):
                assert event.source.asset_id not in ends
                ends[event.source.asset_id] = event.error
    return ends, pieces, warnings


def test_each_bad_file_costs_one_file_and_says_why(tmp_path: Path) -> None:
    tasks = [
        task(tmp_path, "good1", "alpha", "beta"),
        task(tmp_path, "crash", "!CRASH"),
        task(tmp_path, "abort", "!ABORT"),
        task(tmp_path, "exit", "!EXIT 3"),
        task(tmp_path, "raise", "!RAISE two\tlines\x1b"),
        task(tmp_path, "trace", "!TRACE no room"),
        task(tmp_path, "locked", "!LOCKED"),
        task(tmp_path, "other", "!OTHER"),
        task(tmp_path, "grow", "!GROW"),
        task(tmp_path, "vanish", "!VANISH"),
        task(tmp_path, "good2", *(f"line {n}" for n in range(100))),
    ]
    ends, pieces, _ = run(tasks, SandboxOptions(workers=2, limits=lambda _: LIMITS))
    assert ends.keys() == {source.asset_id for source, _ in tasks}
    assert ends["good1"] is None and ends["good2"] is None
    assert [piece.text for piece in pieces["good1"]] == ["alpha", "beta"]
    assert [piece.index for piece in pieces["good2"]] == list(range(100))
    assert str(ends["crash"]) == "the decoder crashed (signal 11)"
    assert str(ends["abort"]) == "the decoder crashed (signal 6)"
    assert str(ends["exit"]) == "the decoder quit (exit code 3)"
    assert str(ends["raise"]) == str(ends["trace"]) == "is damaged, or of a form that is not read"
    assert isinstance(ends["locked"], EncryptedFile)
    assert isinstance(ends["other"], UnsupportedFile)
    assert isinstance(ends["grow"], FileChanged) and isinstance(ends["vanish"], FileChanged)
    assert "changed while it was read" in str(ends["grow"])


@pytest.mark.parametrize(
    ("order", "words", "kind"),
    [
        ("HANG", "no sign of life for", ReadCutShort),
        ("SPIN", "no sign of life for", ReadCutShort),
        ("EAT", "memory", ReadLimitExceeded),
    ],
)
def test_a_reader_over_a_limit_is_ended(tmp_path: Path, order: str, words: str, kind: type[ReadFailed]) -> None:
    ends, pieces, _ = run([task(tmp_path, "bad", f"!{order}"), task(tmp_path, "good", "still here")])
    assert isinstance(ends["bad"], kind)
    assert words in str(ends["bad"])
    assert [piece.text for piece in pieces["good"]] == ["still here"]


def test_a_worker_that_gets_no_processor_is_not_hung(tmp_path: Path) -> None:
    """Stopped for longer than it may sleep, as a busy machine would; then it goes on."""
    tasks = [task(tmp_path, "slow", "!WARN going", *["!NAP 0.1"] * 30, "read")]
    limits, stopped = Limits(silent=0.3, total=60, memory=400 << 20), list[psutil.Process]()
    ended: list[FileEnded] = []
    with closing(read_files(tasks, registry(), SandboxOptions(limits=lambda _: limits))) as events:
        for event in events:
            if isinstance(event, FileRead) and not stopped:
                stopped = workers()
                stop_for(3, stopped)
            elif isinstance(event, FileEnded):
                ended.append(event)
    assert stopped
    assert [end.error for end in ended] == [None]


def stop_for(seconds: float, processes: list[psutil.Process]) -> None:
    for process in processes:
        process.suspend()

    def go_on() -> None:
        for process in processes:
            process.resume()

    threading.Timer(seconds, go_on).start()


def workers() -> list[psutil.Process]:
    children = psutil.Process().children()
    return [child for child in children if "resource_tracker" not in " ".join(child.cmdline())]


def test_what_a_developer_wants_to_know_is_told_apart(tmp_path: Path) -> None:
    with closing(read_files([task(tmp_path, "bad", "!RAISE secret of the program")], registry())) as events:
        (end,) = (event for event in events if isinstance(event, FileEnded))
    assert "ValueError: secret of the program" in end.detail and "Traceback" in end.detail
    assert "secret" not in str(end.error)


@pytest.mark.parametrize("order", ["CRY 1", "CRY 2"])
def test_what_decoders_write_reaches_nobody(tmp_path: Path, order: str, capfd: pytest.CaptureFixture[str]) -> None:
    ends, _, _ = run([task(tmp_path, "loud", f"!{order}")])
    assert ends["loud"] is None
    assert "Invalid NAL" not in "".join(capfd.readouterr())


def test_what_is_decoded_here_is_quiet_too_and_only_meanwhile(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet():
        os.write(2, b"tempfile.tif: Using code not yet in table\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_what_earlier_files_left_in_memory_is_no_fault_of_the_next(tmp_path: Path) -> None:
    """Each takes 250 MB of the 400 that a file may take, and the decoder gives nothing back."""
    tasks = [task(tmp_path, f"f{n}", "!KEEP 250") for n in range(3)]
    ends, _, _ = run(tasks, SandboxOptions(limits=lambda _: LIMITS))
    assert set(ends.values()) == {None}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="how glibc keeps memory")
def test_memory_that_a_long_document_freed_is_not_held_against_it(tmp_path: Path) -> None:
    """Never more than 250 MB are in use; what lies free between them comes to 2.4 GB."""
    limits = Limits(silent=5, total=60, memory=1500 << 20)
    ends, _, _ = run([task(tmp_path, "long", "!RIDDLE")], SandboxOptions(limits=lambda _: limits))
    assert ends["long"] is None


def test_total_time_is_limited_even_with_signs_of_life(tmp_path: Path) -> None:
    limits = Limits(silent=5, total=1, memory=1 << 30)
    bad = task(tmp_path, "slow", *["!NAP 0.3"] * 30)
    ends, _, _ = run([bad], SandboxOptions(limits=lambda _: limits))
    assert str(ends["slow"]) == "took longer than 1 s to read"


def test_no_network_and_no_rubbish_left(tmp_path: Path) -> None:
    ends, _, warnings = run([task(tmp_path, "net", "!NET"), task(tmp_path, "temp", "!TEMP")])
    assert "needs no network" in str(ends["net"])
    assert ends["temp"] is None
    (scratch,) = warnings
    assert not Path(scratch).exists()


def test_workers_are_recycled(tmp_path: Path) -> None:
    tasks = [task(tmp_path, f"f{n}", str(n)) for n in range(3)]
    ends, pieces, _ = run(tasks, SandboxOptions(limits=lambda _: LIMITS, recycle_files=1))
    assert set(ends.values()) == {None} and len(pieces) == 3


@pytest.mark.parametrize(("name", "error"), [("NoModelReader", ModelUnavailable), ("DyingReader", HaystackError)])
def test_a_worker_that_cannot_work_ends_the_job(tmp_path: Path, name: str, error: type[HaystackError]) -> None:
    with pytest.raises(error), closing(read_files([task(tmp_path, "a", "a")], registry(name=name))) as events:
        list(events)


def test_closing_early_leaves_no_process(tmp_path: Path) -> None:
    before = set(psutil.Process().children(recursive=True))
    with closing(read_files([task(tmp_path, "a", "a"), task(tmp_path, "b", "!HANG")], registry())) as events:
        next(event for event in events if isinstance(event, FileEnded))
    left = set(psutil.Process().children(recursive=True)) - before
    # The resource tracker of multiprocessing serves the whole interpreter.
    assert not [p for p in left if "resource_tracker" not in " ".join(p.cmdline())]


def test_more_events_than_the_queue_holds(tmp_path: Path) -> None:
    tasks = [task(tmp_path, f"f{n}", *["word " * 40] * 1500) for n in range(2)]
    ends, pieces, _ = run(tasks)
    assert set(ends.values()) == {None}
    assert [len(found) for found in pieces.values()] == [1500, 1500]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_put_in_place_of_the_file_is_not_opened(tmp_path: Path) -> None:
    source, stat = task(tmp_path, "a", "a")
    source.path.unlink()
    os.mkfifo(source.path)
    ends, _, _ = run([(source, stat)])
    assert ends["a"] is not None and "regular" in str(ends["a"])
