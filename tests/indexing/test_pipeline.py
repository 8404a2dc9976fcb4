from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from haystack_agent.errors import IndexBusy, StorageFull, UsageError
from haystack_agent.records import Filters
from ingest.pipeline import IndexOptions, IndexParts, forget, index_folders, lock_path, status
from ingest.readers.registry import default_registry
from ingest.record.lock import writer_lock
from ingest.record.progress import IndexProgress, Phase
from ingest.workers.sandbox import Limits, limits_for
from tests.support.indexing.toyindex import ToyEncoder, age, close_index, contents, open_index
from tests.support.indexing.toyreaders import registry

FAST = IndexOptions(workers=1, limits=lambda _: Limits(silent=1.5, total=20, memory=500 << 20))
MKV = b"\x1a\x45\xdf\xa3\x8b\x42\x82\x88matroska\n"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[IndexParts]:
    parts = open_index(tmp_path / "index")
    yield parts
    close_index(parts)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    return folder


def texts(index: IndexParts) -> list[str]:
    return sorted(entry[1] for entry in contents(index))


def encoded(index: IndexParts) -> int:
    assert isinstance(index.encoder, ToyEncoder)
    return len(index.encoder.encoded)


def reasons(index: IndexParts) -> dict[str, tuple[str, str]]:
    return {Path(p.path).name: (p.state, p.reason) for p in status(index.manifest).problems}


def test_every_file_is_accounted_for(index: IndexParts, folder: Path) -> None:
    (folder / "good.txt").write_text("alpha\nbeta")
    (folder / "copy.txt").write_text("alpha\nbeta")
    (folder / "crash.txt").write_text("!CRASH")
    (folder / "hang.txt").write_text("!HANG")
    (folder / "partly.txt").write_text("gamma\n!WARN page 7 is blank")
    (folder / "halfway.txt").write_text("\n".join([*(f"row {n}" for n in range(90)), "!NAP 0"]))
    (folder / "data.bin").write_bytes(bytes(range(256)))
    (folder / "broken.pdf").write_bytes(bytes(range(256)))
    (folder / "empty.pdf").touch()
    (folder / "empty.txt").touch()
    (folder / "photo.png").write_bytes(b"\x89PNG\r\n\x1a\n....")
    os.mkfifo(folder / "pipe")
    report = index_folders([folder], index, FAST)
    assert (report.counts.indexed, report.counts.failed, report.counts.skipped) == (4, 4, 4)
    assert report.counts.found == len(list(folder.iterdir()))
    assert not report.interrupted
    hang = reasons(index)["hang.txt"][1]
    assert hang.startswith("gave no sign of life for") and hang.endswith("(the next `index` tries it again)")
    assert reasons(index) == {
        "crash.txt": ("failed", "the decoder crashed (signal 11) (the next `index` tries it again)"),
        "hang.txt": ("failed", hang),
        "broken.pdf": ("failed", "is named .pdf, but is damaged or of no kind that is read"),
        "empty.pdf": ("failed", "is empty"),
        "empty.txt": ("skipped", "is empty"),
        "data.bin": ("skipped", "is not a kind of file that is read"),
        "photo.png": ("skipped", "png files are not read"),
        "pipe": ("skipped", "is a named pipe, which is never opened"),
        "partly.txt": ("indexed", "page 7 is blank"),
    }
    assert status(index.manifest).counts == report.counts
    assert index.store.count() == report.pieces == 2 + 2 + 91
    (two,) = {entry[2] for entry in contents(index) if entry[1] == "alpha"}
    assert two == (str(folder / "copy.txt"), str(folder / "good.txt"))


def test_unchanged_files_are_neither_opened_nor_read(index: IndexParts, folder: Path) -> None:
    (folder / "a.txt").write_text("alpha")
    (folder / "b.txt").write_text("!RAISE no")
    age(folder)
    index_folders([folder], index, FAST)
    before, told = contents(index), list[IndexProgress]()
    report = index_folders([folder], index, FAST, told.append)
    assert contents(index) == before and encoded(index) == 1
    assert report.read == 0 and report.counts.failed == 1
    assert {progress.phase for progress in told} <= {Phase.FIND, Phase.HASH}
    assert max(progress.files_total for progress in told) == 0


def test_a_failed_file_is_read_again_only_when_asked_or_changed(index: IndexParts, folder: Path) -> None:
    bad = folder / "a.txt"
    bad.write_text("!RAISE no")
    assert index_folders([folder], index, FAST).read == 1
    assert index_folders([folder], index, FAST).read == 0
    assert index_folders([folder], index, replace(FAST, retry=True)).read == 1
    assert index_folders([folder], replace(index, registry=registry(version=2)), FAST).read == 1
    bad.write_text("fine now")
    report = index_folders([folder], index, FAST)
    assert (report.counts.indexed, report.counts.failed, texts(index)) == (1, 0, ["fine now"])


def test_a_reading_that_was_cut_short_is_tried_again_but_not_for_ever(index: IndexParts, folder: Path) -> None:
    (folder / "always.txt").write_text("!EXIT 1")
    (folder / "once.txt").write_text("!ONCE\nalpha")
    age(folder)
    assert index_folders([folder], index, FAST).counts.failed == 2
    report = index_folders([folder], index, FAST)
    assert (report.read, report.counts.failed) == (2, 1) and "alpha" in texts(index)
    assert index_folders([folder], index, FAST).read == 1
    assert index_folders([folder], index, FAST).read == 0
    assert "3 times in a row: only `index --retry`" in reasons(index)["always.txt"][1]
    assert index_folders([folder], index, replace(FAST, retry=True)).read == 1
    assert index_folders([folder], index, FAST).read == 1


def test_why_a_file_failed_is_told_in_plain_words_and_logged_for_developers(index: IndexParts, folder: Path) -> None:
    (folder / "a.txt").write_text("!RAISE index 0 is out of bounds")
    index_folders([folder], index, FAST)
    assert reasons(index)["a.txt"][1] == "is damaged, or of a form that is not read"
    log = index.manifest.path.with_name("reading.log").read_text()
    assert "ValueError: index 0 is out of bounds" in log and str(folder / "a.txt") in log


def test_content_put_in_place_without_new_size_or_time_is_noticed(index: IndexParts, folder: Path) -> None:
    for name in ("cloud.txt", "same.txt"):
        (folder / name).write_text(f"{name} placeholder")
    age(folder)
    index_folders([folder], index, FAST)
    before = (folder / "cloud.txt").stat()
    with (folder / "cloud.txt").open("r+") as file:
        file.write("filled in later on!"[: before.st_size])
    os.utime(folder / "cloud.txt", ns=(before.st_mtime_ns, before.st_mtime_ns))
    assert index_folders([folder], index, FAST).read == 1
    assert any("filled in" in text for text in texts(index))


def test_a_file_that_was_only_touched_is_not_read_again_nor_looked_at_twice(index: IndexParts, folder: Path) -> None:
    (folder / "a.txt").write_text("alpha")
    age(folder)
    index_folders([folder], index, FAST)
    (folder / "a.txt").chmod(0o600)
    for looked_at in (1, 0):
        told = list[IndexProgress]()
        assert index_folders([folder], index, FAST, told.append).read == 0
        assert max(progress.files_total for progress in told) == looked_at
    assert encoded(index) == 1


def test_new_reader_version_or_profile_reads_again_what_it_touches(index: IndexParts, folder: Path) -> None:
    (folder / "a.txt").write_text("alpha")
    (folder / "b.md").write_text("beta")
    index_folders([folder], index, FAST)
    newer = registry(version=2, types=frozenset(("markdown",)))
    both = replace(index.registry, entries=(*newer.entries, *index.registry.entries))
    assert index_folders([folder], replace(index, registry=both), FAST).read == 1
    assert index_folders([folder], replace(index, registry=both, profile="other"), FAST).read == 2
    assert texts(index) == ["alpha", "beta"]


def test_changed_moved_copied_and_deleted_files(index: IndexParts, folder: Path) -> None:
    (folder / "one.txt").write_text("one\nuno")
    (folder / "two.txt").write_text("two")
    index_folders([folder], index, FAST)
    before = {entry[0]: entry for entry in contents(index)}
    (folder / "deep").mkdir()
    (folder / "one.txt").rename(folder / "deep" / "eins.txt")
    shutil.copy2(folder / "two.txt", folder / "deep" / "zwei.txt")
    report = index_folders([folder], index, FAST)
    assert (report.read, report.moved, encoded(index)) == (0, 2, 3)
    after = {entry[0]: entry for entry in contents(index)}
    assert before.keys() == after.keys()
    paths = {entry[1]: entry[2] for entry in after.values()}
    assert paths["uno"] == (str(folder / "deep" / "eins.txt"),)
    assert paths["two"] == (str(folder / "deep" / "zwei.txt"), str(folder / "two.txt"))
    assert all(before[key][4] == after[key][4] and before[key][5] != after[key][5] for key in before)
    (folder / "two.txt").unlink()
    (folder / "deep" / "eins.txt").write_text("one\nun")
    report = index_folders([folder], index, FAST)
    assert texts(index) == ["one", "two", "un"] and report.removed == 1


def test_moved_between_runs_equals_read_afresh(index: IndexParts, folder: Path, tmp_path: Path) -> None:
    for number in range(5):
        (folder / f"{number}.txt").write_text(f"text {number}\nmore")
    index_folders([folder], index, FAST)
    (folder / "0.txt").rename(folder / "9.txt")
    os.utime(folder / "1.txt")
    (folder / "2.txt").write_text("text 3\nmore")
    index_folders([folder], index, FAST)
    fresh = open_index(tmp_path / "fresh")
    index_folders([folder], fresh, FAST)
    assert contents(index) == contents(fresh)
    close_index(fresh)


def test_a_lost_folder_keeps_what_was_indexed(index: IndexParts, folder: Path, tmp_path: Path) -> None:
    (folder / "a.txt").write_text("alpha")
    index_folders([folder], index, FAST)
    folder.rename(tmp_path / "away")
    report = index_folders([folder], index, FAST)
    assert report.counts.failed == 1 and "is not there any more" in reasons(index)["folder"][1]
    folder.mkdir()
    report = index_folders([folder], index, FAST)
    assert "not mounted?" in reasons(index)["folder"][1] and texts(index) == ["alpha"]
    folder.rmdir()
    (tmp_path / "away").rename(folder)
    report = index_folders([], index, FAST)
    assert (report.counts.failed, report.counts.indexed, report.read) == (0, 1, 0)
    (folder / "a.txt").unlink()
    index_folders([folder], index, FAST)
    assert texts(index) == []


def test_subtitles_belong_to_their_video(index: IndexParts, folder: Path) -> None:
    (folder / "clip.mkv").write_bytes(MKV + b"frames")
    (folder / "clip.cs.srt").write_text("ahoj")
    (folder / "alone.srt").write_text("hello")
    index_folders([folder], index, FAST)
    assert "ahoj" in texts(index) and "hello" in texts(index)
    assert reasons(index)["clip.cs.srt"] == ("skipped", "subtitles of clip.mkv, read with it")
    pieces = len(texts(index))
    (folder / "clip.cs.srt").write_text("nazdar")
    report = index_folders([folder], index, FAST)
    assert report.read == 1 and "nazdar" in texts(index) and "ahoj" not in texts(index)
    assert len(texts(index)) == pieces
    (folder / "clip.cs.srt").unlink()
    index_folders([folder], index, FAST)
    assert "nazdar" not in texts(index) and len(texts(index)) == pieces - 1


def test_stopping_keeps_finished_files(index: IndexParts, folder: Path) -> None:
    (folder / "a.txt").write_text("\n".join(f"big {n}" for n in range(3000)))
    (folder / "b.txt").write_text("!NAP 0.5\n" + "\n".join(f"slow {n}" for n in range(30)) + "\n!HANG")
    stop = threading.Event()

    def progress(state: IndexProgress) -> None:
        if state.phase is Phase.READ and state.files_done == 1:
            stop.set()

    report = index_folders([folder], index, replace(FAST, stop=stop), progress)
    assert report.interrupted and (report.counts.indexed, report.counts.skipped) == (1, 1)
    assert index.store.count() == 3000
    assert reasons(index)["b.txt"] == ("skipped", "not read yet: run index again")
    report = index_folders([folder], index, FAST)
    assert (report.read, report.counts.failed) == (1, 1)


def test_what_a_file_held_is_found_until_what_it_holds_now_is_read(index: IndexParts, folder: Path) -> None:
    for name in ("a", "b", "c"):
        (folder / f"{name}.txt").write_text(f"old {name}")
    index_folders([folder], index, FAST)
    (folder / "a.txt").write_text("new a\n" + "\n".join(f"big {n}" for n in range(600)))
    (folder / "b.txt").write_text("!HANG")
    (folder / "c.txt").unlink()

    pressed: list[bool] = []

    def interrupt(state: IndexProgress) -> None:
        if state.phase is Phase.READ and state.files_done == 1 and not pressed:
            pressed.append(True)
            raise KeyboardInterrupt

    report = index_folders([folder], index, FAST, interrupt)
    assert report.interrupted and report.removed == 2, "of the file that is gone, and of the one that was read"
    assert [text for text in texts(index) if not text.startswith("big")] == ["new a", "old b"]
    (folder / "b.txt").write_text("new b")
    report = index_folders([folder], index, FAST)
    assert report.removed == 1 and [text for text in texts(index) if not text.startswith("big")] == ["new a", "new b"]


def test_what_a_killed_run_left_is_found_until_a_run_goes_to_its_end(index: IndexParts, folder: Path) -> None:
    (folder / "a.txt").write_text("old a")
    index_folders([folder], index, FAST)
    (folder / "a.txt").write_text("new a")

    def die(state: IndexProgress) -> None:
        if state.phase is Phase.READ:
            raise SystemExit  # nothing is tidied up: as if killed

    for _ in range(2):
        with pytest.raises(SystemExit):
            index_folders([folder], index, FAST, die)
        assert texts(index) == ["old a"]
    index_folders([folder], index, FAST)
    assert texts(index) == ["new a"]


def test_ctrl_c_keeps_finished_files(index: IndexParts, folder: Path) -> None:
    (folder / "a.txt").write_text("\n".join(f"big {n}" for n in range(500)))
    (folder / "b.txt").write_text("!HANG")

    pressed: list[bool] = []

    def progress(state: IndexProgress) -> None:
        if state.phase is Phase.READ and state.files_done == 1 and not pressed:
            pressed.append(True)
            raise KeyboardInterrupt

    report = index_folders([folder], index, FAST, progress)
    assert report.interrupted and index.store.count() == 500 and report.counts.indexed == 1


def test_only_one_writer(index: IndexParts, folder: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\nfrom ingest.record.lock import writer_lock\n"
        "with writer_lock(Path(sys.argv[1])):\n    print('held', flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(lock_path(index.manifest))], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None and other.stdin is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(IndexBusy, match=f"in use by process {other.pid}:"):
            index_folders([folder], index, FAST)
        other.kill()
    with writer_lock(lock_path(index.manifest)):
        pass
    index_folders([folder], index, FAST)


def test_forget(index: IndexParts, folder: Path) -> None:
    (folder / "in").mkdir()
    (folder / "in" / "a.txt").write_text("alpha")
    (folder / "in" / "b.txt").write_text("beta")
    (folder / "c.txt").write_text("alpha")
    index_folders([folder], index, FAST)
    assert forget(folder / "in", index) == 2
    assert texts(index) == ["alpha"] and contents(index)[0][2] == (str(folder / "c.txt"),)
    with pytest.raises(UsageError, match="nothing at"):
        forget(folder / "in", index)
    assert forget(folder, index) == 1
    assert index.store.count() == 0 and status(index.manifest).roots == ()


def test_odd_names_survive_everywhere(index: IndexParts, folder: Path) -> None:
    names = [b"new\nline.txt", "\u202egnp.txt".encode(), "🙂.txt".encode(), b"\xff\xfe.txt", b"n" * 246 + b".txt"]
    for number, name in enumerate(names):
        with open(os.path.join(os.fsencode(folder), name), "w") as file:  # noqa: PTH118, PTH123 - bytes
            file.write(f"text {number}")
    with open(os.path.join(os.fsencode(folder), b"\xff.bin"), "wb") as binary:  # noqa: PTH118, PTH123 - bytes
        binary.write(bytes(9))
    report = index_folders([folder], index, FAST)
    assert report.counts.indexed == len(names)
    assert json.loads(json.dumps([problem.path for problem in report.problems]).encode()) == [f"{folder}/\\xff.bin"]
    assert {os.fsencode(row.path.name) for row in index.manifest.files() if row.asset_id} == set(names)
    assert index_folders([folder], index, FAST).read == 0


def test_missing_folder_is_a_wrong_usage(index: IndexParts, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no file or folder"):
        index_folders([tmp_path / "nowhere"], index, FAST)
    with pytest.raises(UsageError, match="no folder is named"):
        index_folders([], index, FAST)


def test_store_and_manifest_that_disagree_are_mended(index: IndexParts, folder: Path) -> None:
    (folder / "a.txt").write_text("alpha")
    (folder / "b.txt").write_text("beta")
    index_folders([folder], index, FAST)
    before = contents(index)
    index.store.delete_assets([next(index.store.asset_ids())])
    index_folders([folder], index, FAST)
    assert contents(index) == before
    index.manifest.drop_assets(index.manifest.assets())
    (folder / "b.txt").unlink()
    index_folders([folder], index, FAST)
    assert texts(index) == ["alpha"]


def test_a_full_disk_ends_the_run_and_keeps_the_index(index: IndexParts, folder: Path) -> None:
    (folder / "a.txt").write_text("alpha")
    index_folders([folder], index, FAST)
    before = contents(index)
    (folder / "b.txt").write_text("beta")
    with pytest.raises(StorageFull, match="free some"):
        index_folders([folder], index, replace(FAST, reserve=1 << 62))
    assert contents(index) == before
    assert index_folders([folder], index, FAST).counts.indexed == 2
    assert index.store.count(Filters()) == 2


def test_the_real_readers(index: IndexParts, folder: Path) -> None:
    import pymupdf
    from PIL import Image

    document = pymupdf.open()
    document.new_page().insert_text((72, 72), "The harbour opens at seven.")
    document.save(folder / "good.pdf")
    document.save(folder / "locked.pdf", encryption=pymupdf.mupdf.PDF_ENCRYPT_AES_256, user_pw="a", owner_pw="b")
    (folder / "junk.pdf").write_bytes(b"%PDF-1.7\n" + b"\x80" * 3000)
    (folder / "cut.docx").write_bytes(b"PK\x03\x04" + bytes(500))
    (folder / "cut.mp4").write_bytes(b"\0\0\0\x18ftypisom\0\0\0\0isommp42" + bytes(500))
    (folder / "note.txt").write_text("Bring the red umbrella.")
    Image.new("RGB", (64, 64), "red").save(folder / "picture.pdf", "JPEG")
    report = index_folders([folder], replace(index, registry=default_registry()), replace(FAST, limits=limits_for))
    states = reasons(index)
    assert {name for name, (state, _) in states.items() if state == "failed"} == {
        "locked.pdf",
        "junk.pdf",
        "cut.docx",
        "cut.mp4",
    }
    assert "password" in states["locked.pdf"][1]
    assert all("\n" not in reason for _, reason in states.values())
    assert report.counts.indexed == 3
    stored = index.store.fetch(list(index.store.asset_ids()))
    types = {Path(entry.paths[0]).name: entry.piece.meta.media_type for entry in stored}
    assert types == {"good.pdf": "pdf", "note.txt": "txt", "picture.pdf": "jpeg"}
    assert any("harbour opens at seven" in text for text in texts(index))
