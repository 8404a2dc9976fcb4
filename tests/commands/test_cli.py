"""The command line as a script or a person uses it: the sample folder is indexed once, then asked."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from eval.sample.folder import make_sample
from ui.cli import app
from ui.demo import QUESTIONS

HOSTILE = "odd\n\x1b[31mred\u202efdp.[bold]x.txt"
"""A line break, a colour, a reversal and markup in a name."""
UNDECODABLE = b"caf\xe9.txt"
EVIDENCE_KEYS = {"rank", "score", "path", "modality", "page", "start", "end", "boxes", "text", "matched"}

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="names and signals as on POSIX systems")


@dataclass(frozen=True)
class Done:
    """How a run ended and what it printed."""

    code: int | None
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True)
class Shell:
    """Runs the program with data and config folders of its own."""

    base: Path

    def run(self, *arguments: str, stdin: bytes = b"", **variables: str) -> Done:
        """In this process, which has the models' libraries loaded after the first time."""
        runner = CliRunner(env={**dict.fromkeys(os.environ), **self.environment(**variables)})
        result = runner.invoke(app, list(arguments), input=stdin, prog_name="haystack-agent")
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Done(result.exit_code, result.stdout_bytes, result.stderr_bytes)

    def process(self, *arguments: str | bytes, **variables: str) -> Done:
        """In a process of its own, as from a terminal."""
        command: list[str | bytes] = [sys.executable, "-m", "ui.cli", *arguments]
        environment = self.environment(**variables)
        done = subprocess.run(command, capture_output=True, env=environment, check=False, timeout=280)
        return Done(done.returncode, done.stdout, done.stderr)

    def environment(self, **variables: str) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("HAYSTACK_")}
        config = self.base / "config.toml"
        config.touch()
        own |= {"HAYSTACK_DATA_DIR": str(self.base / "data"), "HAYSTACK_CONFIG_FILE": str(config)}
        return {**own, "HAYSTACK_WORKERS": "1", **variables}  # the tests beside use the other processors


@dataclass(frozen=True)
class Indexed(Shell):
    files: Path
    report: dict[str, Any]


def clean(done: Done, code: int) -> Done:
    """The run ended as it should, and showed nothing that only a programmer understands."""
    assert done.code == code, (done.stdout, done.stderr)
    assert b"Traceback" not in done.stderr + done.stdout
    return done


def objects(done: Done) -> list[Any]:
    return [json.loads(line) for line in done.stdout.decode("utf-8", "strict").splitlines()]


@pytest.fixture(scope="session")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Indexed:
    base = tmp_path_factory.mktemp("cli")
    files = base / "files"
    make_sample(files)
    (files / HOSTILE).write_text("The zeppelin \x1b[31mlanded \x9b1m[red]twice[/red] in \u202eOslo.\n", "utf-8")
    (files / os.fsdecode(UNDECODABLE)).write_text("The xylophone is kept in the cellar.\n", "utf-8")
    (files / "broken.pdf").write_bytes(b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nnothing more")
    done = clean(Shell(base).process("index", str(files), "--json"), 1)
    (report,) = objects(done)
    return Indexed(base, files, report)


def test_index_accounts_for_every_file(indexed: Indexed) -> None:
    counts = indexed.report["files"]
    found = sum(1 for path in indexed.files.rglob("*") if path.is_file())
    assert counts["indexed"] + counts["failed"] + counts["skipped"] == found
    assert counts["failed"] == 1
    assert indexed.report["pieces"] > 20


def test_status_json_is_as_agreed(indexed: Indexed) -> None:
    (status,) = objects(clean(indexed.run("status", "--json"), 0))
    assert {"files", "problems", "pieces", "profile"} <= status.keys()
    assert status["files"] == indexed.report["files"]
    assert status["pieces"] == indexed.report["pieces"]
    assert status["profile"] == "offline"
    (failure,) = [problem for problem in status["problems"] if problem["state"] == "failed"]
    assert Path(failure["path"]) == indexed.files / "broken.pdf"
    assert failure["reason"]


def test_status_says_what_failed_and_why(indexed: Indexed) -> None:
    shown = clean(indexed.run("status"), 0).stdout.decode()
    assert "1 failed" in shown
    assert f"{indexed.files}/broken.pdf: " in shown


def test_the_demo_questions_are_answered_with_their_places(indexed: Indexed) -> None:
    batch = "\n".join((*QUESTIONS, "", "What is the capital of Mongolia?"))
    answers = objects(
        clean(indexed.run("ask", "--json", "--mode", "extractive", "--batch", "-", stdin=batch.encode()), 0)
    )
    expected = (
        ("£339.40", "bicycle/invoice.pdf", 2),
        ("drei Monate", "home/lease (scan).pdf", 1),
        ("19:30", "outings/koncert.webp", None),
        ("4.5 bar", "bicycle/flat tyre.mp4", None),
        ("9 November 2026", "garden/minutes.docx", None),
    )
    assert [answer["question"] for answer in answers] == [*QUESTIONS, "", "What is the capital of Mongolia?"]
    for answer, (words, name, page) in zip(answers[: len(expected)], expected, strict=True):
        assert set(answer) == {"question", "answer", "abstained", "citations", "listed"}
        assert words in answer["answer"], answer
        assert answer["abstained"] is False
        citation = answer["citations"][0]
        assert set(citation) == EVIDENCE_KEYS | {"quote"}
        assert Path(citation["path"]) == indexed.files / name
        assert citation["page"] == page or page is None
        assert words in citation["quote"]
    clip = answers[3]["citations"][0]
    assert clip["modality"] == "video"
    assert 0 <= clip["start"] < clip["end"] <= 20.5
    for nothing in answers[5:]:
        assert nothing["abstained"] is True
        assert nothing["citations"] == []


def test_search_json_is_as_agreed(indexed: Indexed) -> None:
    (found,) = objects(clean(indexed.run("search", "--json", "--top-k", "3", "Kaltmiete"), 0))
    assert set(found) == {"query", "evidence"}
    assert found["query"] == "Kaltmiete"
    assert [item["rank"] for item in found["evidence"]] == list(range(1, len(found["evidence"]) + 1))
    assert 1 <= len(found["evidence"]) <= 3
    best = found["evidence"][0]
    assert set(best) == EVIDENCE_KEYS
    assert Path(best["path"]) == indexed.files / "home/lease (scan).pdf"
    assert (best["modality"], best["page"], best["start"], best["end"]) == ("document", 1, None, None)
    assert "842,50" in best["text"]
    assert all(0 <= edge <= 1 for box in best["boxes"] for edge in box)
    assert "kaltmiete" in best["matched"][0]["words"]


def test_people_see_the_place_and_the_quote(indexed: Indexed) -> None:
    shown = clean(indexed.run("ask", QUESTIONS[0]), 0).stdout.decode()
    assert "[1] invoice.pdf, page 2" in shown
    assert "£339.40”" in shown
    shown = clean(indexed.run("search", "--explain", "--top-k", "1", "glue is dry"), 0).stdout.decode()
    assert "[1] flat tyre.mp4, 0:" in shown
    assert "bm25: rank 1" in shown


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (("--modality", "video"), "bicycle/flat tyre.mp4"),
        (("--modality", "image"), "outings/koncert.webp"),
        (("--type", "DOCX"), "garden/minutes.docx"),
        (("--folder", "home", "--type", "xlsx"), "home/budget.xlsx"),
        (("--before", "2024-02"), "photos/IMG_0077.jpg"),
        (("--after", "2025-07-19", "--before", "2025-07-19"), "photos/IMG_0412.jpg"),
        (("--language", "es"), "garden/huerto.md"),
    ],
)
def test_filters(indexed: Indexed, options: Sequence[str], name: str) -> None:
    typed = [str(indexed.files / word) if word == "home" else word for word in options]
    (found,) = objects(clean(indexed.run("search", "--json", *typed, "koncert photo piano water wheel tomates"), 0))
    paths = [Path(item["path"]) for item in found["evidence"]]
    assert indexed.files / name in paths
    if "--modality" not in options:
        assert set(paths) == {indexed.files / name}
    else:
        assert {item["modality"] for item in found["evidence"]} == {options[1]}


def test_nothing_found_is_exit_code_1(indexed: Indexed) -> None:
    done = clean(indexed.run("search", "--json", "--before", "1901", "koncert"), 1)
    assert objects(done) == [{"query": "koncert", "evidence": []}]
    assert b"Nothing found" in clean(indexed.run("search", "--before", "1901", "koncert"), 1).stdout


def test_a_filter_that_nothing_has_is_told_with_what_there_is(indexed: Indexed) -> None:
    for command in ("search", "ask"):
        done = clean(indexed.run(command, "--json", "--folder", "/nope", "koncert"), 2)
        assert f"Nothing in the folder /nope is in this index, which holds {indexed.files}." in done.stderr.decode()
        assert done.stdout == b""
    done = clean(indexed.run("search", "--json", "--type", "epub", "--language", "zu", "koncert"), 1)
    assert objects(done) == [{"query": "koncert", "evidence": []}]
    types, languages = done.stderr.decode().splitlines()
    assert types.startswith("Nothing of the type epub is in this index; there is docx, ") and "pdf" in types
    assert languages.startswith("Nothing of the language zu is in this index; there is ") and " en" in languages


def test_a_request_is_answered_with_what_was_found(indexed: Indexed) -> None:
    (told,) = objects(clean(indexed.run("ask", "--json", "photos from July 2025"), 0))
    assert (told["listed"], told["abstained"]) == (True, False)
    number = len(told["citations"])
    assert told["answer"] == f"{number} picture{'s are' if number > 1 else ' is'} from 2025-07."
    assert {(one["modality"], one["quote"]) for one in told["citations"]} == {("image", "")}
    shown = clean(indexed.run("ask", "photos from July 2025"), 0).stdout.decode()
    assert shown.startswith(told["answer"]) and "[1] " in shown and "“”" not in shown and "Nothing" not in shown
    (none,) = objects(clean(indexed.run("ask", "--json", "photos from 1990"), 1))
    assert (none["answer"], none["abstained"]) == ("No pictures from 1990 were found.", True)


def test_hostile_names_and_texts_are_shown_and_not_obeyed(indexed: Indexed) -> None:
    shown = clean(indexed.run("search", "zeppelin", COLUMNS="200"), 0).stdout
    assert b"\x1b" not in shown
    text = shown.decode()
    assert "\x9b" not in text
    assert "\u202e" not in text
    assert r"odd\n\x1b[31mred\u202efdp.[bold]x.txt" in text
    assert "[red]twice[/red]" in text
    (found,) = objects(clean(indexed.run("search", "--json", "zeppelin"), 0))
    assert found["evidence"][0]["path"] == str(indexed.files / HOSTILE)


def test_a_name_that_is_not_utf8_leads_back_to_its_file(indexed: Indexed) -> None:
    (found,) = objects(clean(indexed.run("search", "--json", "xylophone"), 0))
    assert Path(found["evidence"][0]["path"]).read_text("utf-8").startswith("The xylophone")
    assert rb"caf\xe9.txt" in clean(indexed.run("search", "xylophone"), 0).stdout


def test_a_question_that_is_not_utf8(indexed: Indexed) -> None:
    (found,) = objects(clean(indexed.run("search", "--json", "zeppelin \udcff"), 0))
    assert found["query"] == "zeppelin \ufffd"


def test_open_shows_the_last_list_and_files(indexed: Indexed, tmp_path: Path) -> None:
    viewer = f"cp -t {tmp_path}"
    clean(indexed.run("ask", QUESTIONS[1]), 0)
    assert b"lease (scan).pdf" in clean(indexed.run("open", "1", HAYSTACK_VIEWER=viewer), 0).stdout
    (drawn,) = tmp_path.glob("lease*.png")
    assert marked_pixels(drawn) > 500
    clean(indexed.run("open", str(indexed.files / "bicycle/invoice.pdf"), "--page", "2", HAYSTACK_VIEWER=viewer), 0)
    (page,) = tmp_path.glob("invoice page 2*.png")
    assert marked_pixels(page) == 0
    clean(indexed.run("open", str(indexed.files / "bicycle/flat tyre.mp4"), "--at", "0:17", HAYSTACK_VIEWER=viewer), 0)
    (player,) = tmp_path.glob("flat tyre*.html")
    assert f'src="{(indexed.files / "bicycle/flat tyre.mp4").as_uri()}#t=17"' in player.read_text("utf-8")


def marked_pixels(path: Path) -> int:
    """Pixels as yellow as a highlighter."""
    import numpy as np
    from PIL import Image

    with Image.open(path) as picture:
        red, green, blue = np.moveaxis(np.asarray(picture.convert("RGB"), dtype=np.int16), -1, 0)
    return int(np.count_nonzero((red > 200) & (green > 170) & (blue < red - 60)))


def test_open_never_runs_what_it_shows(indexed: Indexed, tmp_path: Path) -> None:
    page, script = tmp_path / "notes.txt", tmp_path / "notes.desktop"
    for path in (page, script):
        path.write_text("<script>alert(1)</script> hello\n", "utf-8")
    (tmp_path / "out").mkdir()
    viewer = f"cp -t {tmp_path / 'out'}"
    clean(indexed.run("open", str(page), HAYSTACK_VIEWER=viewer), 0)
    (shown,) = (tmp_path / "out").iterdir()
    assert shown.suffix == ".html"
    assert "&lt;script&gt;" in shown.read_text("utf-8")
    assert b"not a kind of file" in clean(indexed.run("open", str(script), HAYSTACK_VIEWER=viewer), 2).stderr
    assert len(list((tmp_path / "out").iterdir())) == 1


def test_open_says_what_is_wrong(indexed: Indexed, tmp_path: Path) -> None:
    pdf = str(indexed.files / "bicycle/invoice.pdf")
    clean(indexed.run("search", "Kaltmiete", "--top-k", "1"), 0)
    assert b"1 to 1" in clean(indexed.run("open", "2"), 2).stderr
    assert b"no page 9" in clean(indexed.run("open", pdf, "--page", "9"), 3).stderr
    assert b"not there" in clean(indexed.run("open", str(tmp_path / "none.pdf")), 2).stderr
    assert b"is drawn here" in clean(indexed.run("open", pdf, HAYSTACK_VIEWER="no-such-viewer"), 3).stderr
    fresh = Shell(tmp_path)
    assert b"Nothing was shown yet" in clean(fresh.run("open", "1"), 2).stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("search",), b"no question"),
        (("search", "  "), b"no question"),
        (("search", "--batch", "-", "words"), b"not both"),
        (("search", "--batch", "/no/such/file"), b"cannot be read"),
        (("search", "--top-k", "0", "x"), b"--top-k"),
        (("search", "--type", "exe", "x"), b"'exe' is not a kind of file"),
        (("search", "--language", "english", "x"), b"two letters"),
        (("search", "--after", "2026-02-30", "x"), b"is no date"),
        (("search", "--after", "2026", "--before", "2025", "x"), b"nothing can match"),
        (("ask", "--mode", "magic", "x"), b"extractive"),
        (("ask", "--mode", "agent", "--model", "m", "--top-k", "3", "x"), b"as often as it needs"),
        (("ask", "--mode", "direct", "--model", "m", "--explain", "x"), b"search --explain"),
        (("eval", "run", "x", "--prices", "1", "2"), b"--prices does nothing without --model"),
        (("eval", "run", "x", "--judge-url", "http://localhost:1"), b"--judge-url does nothing without --judge"),
        (("eval", "make", "x", "--ask-in", "Czech"), b"--ask-in does nothing without --model"),
        (("status", "--index", "a\x1bb"), b"cannot be the name"),
        (("status", "--qdrant-url", "localhost"), b"http://HOST:PORT"),
        (("index", "/no/such/folder"), b"no file or folder"),
        (("open", "f", "--at", "soon"), b"is no time"),
        (("forget",), b"PATH"),
        (("no-such-command",), b"no-such-command"),
    ],
)
def test_wrong_usage_is_exit_code_2(tmp_path: Path, arguments: Sequence[str], words: bytes) -> None:
    done = clean(Shell(tmp_path).run(*arguments), 2)
    assert words in done.stderr
    assert b"\x1b" not in done.stderr
    assert done.stdout == b""
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("command", [("search", "x"), ("ask", "x"), ("status",), ("forget", "x")])
def test_no_index_is_exit_code_3(tmp_path: Path, command: Sequence[str]) -> None:
    done = clean(Shell(tmp_path).run(*command), 3)
    assert b"There is no index at" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_damaged_index_is_exit_code_3(indexed: Indexed, tmp_path: Path) -> None:
    shutil.copytree(indexed.base / "data/indexes/default", tmp_path / "index")
    (tmp_path / "index/index.json").write_text("{", "utf-8")
    done = clean(Shell(tmp_path).run("status", "--index", str(tmp_path / "index")), 3)
    assert len(done.stderr.splitlines()) == 1


def test_an_index_is_not_made_among_other_files(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters/one.txt").write_text("Dear aunt", "utf-8")
    folder = str(tmp_path / "letters")
    assert b"holds other files" in clean(Shell(tmp_path).run("index", folder, "--index", folder), 2).stderr
    assert [path.name for path in (tmp_path / "letters").iterdir()] == ["one.txt"]


def test_a_bad_config_file_is_exit_code_2(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    (tmp_path / "config.toml").write_text("colour = 'red'\n", "utf-8")
    done = clean(shell.run("status"), 2)
    assert b"'colour'" in done.stderr
    assert b"qdrant_url" in done.stderr


def test_what_nobody_thought_of_is_logged_and_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("ui.terminal.opener.open_place", broken)
    (tmp_path / "note.txt").write_text("hello", "utf-8")
    done = clean(Shell(tmp_path).run("open", str(tmp_path / "note.txt")), 3)
    assert len(done.stderr.splitlines()) == 1
    log = tmp_path / "data/haystack-agent.log"
    assert str(log).encode() in done.stderr
    assert "Traceback" in log.read_text("utf-8")


def test_a_closed_pipe_is_no_error(indexed: Indexed) -> None:
    command = f"{sys.executable} -m ui.cli search --top-k 50 the | head -c 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, env=indexed.environment(), check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""


def test_batch_answers_each_line_when_it_comes(indexed: Indexed) -> None:
    command = [sys.executable, "-m", "ui.cli", "search", "--batch", "-", "--top-k", "1"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=indexed.environment()) as process:
        assert process.stdin
        assert process.stdout
        for word in ("Kaltmiete", "tomates"):
            process.stdin.write(f"{word}\n".encode())
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["query"] == word
        process.stdin.close()
        assert process.wait(60) == 0


def test_ctrl_c_stops_with_one_clean_line(indexed: Indexed) -> None:
    command = [sys.executable, "-m", "ui.cli", "ask", "--batch", "-"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=indexed.environment(), **pipes) as process:  # type: ignore[call-overload]
        process.stdin.write(b"Kaltmiete\n")
        process.stdin.flush()
        assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.wait(60)
        assert process.returncode == 130
        assert process.stderr.read() == b"Stopped.\n"


def _files_in(manifest: Path) -> int:
    """How many files a run has found, which may not have begun."""
    try:
        with closing(sqlite3.connect(f"file:{manifest}?mode=ro", uri=True)) as opened:
            return int(opened.execute("SELECT count(*) FROM files").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_while_indexing_keeps_what_was_read(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    make_sample(tmp_path / "files")
    command = [sys.executable, "-m", "ui.cli", "index", str(tmp_path / "files"), "--workers", "1"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=shell.environment(), **pipes) as process:  # type: ignore[call-overload]
        manifest = tmp_path / "data/indexes/default/manifest.sqlite"
        while _files_in(manifest) < 13 and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert b"run the same command to go on" in err
    assert b"Traceback" not in err
    (status,) = objects(clean(shell.run("status", "--json"), 0))
    assert sum(status["files"].values()) == 13


def test_forget_removes_from_the_index_and_not_from_the_disk(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    (tmp_path / "files").mkdir()
    for name in ("a", "b"):
        (tmp_path / f"files/{name}.txt").write_text(f"The {name * 6} is green.\n", "utf-8")
    clean(shell.run("index", str(tmp_path / "files")), 0)
    forgotten = clean(shell.run("forget", str(tmp_path / "files/a.txt")), 0).stdout
    assert b"1 file forgotten" in forgotten and b".haystackignore" in forgotten, "it would come back"
    (found,) = objects(clean(shell.run("search", "--json", "green"), 0))
    assert [Path(item["path"]).name for item in found["evidence"]] == ["b.txt"]
    assert (tmp_path / "files/a.txt").exists()
    clean(shell.run("forget", str(tmp_path / "elsewhere")), 2)


def test_a_folder_that_lost_all_its_files_keeps_them_until_the_user_says_that_they_are_gone(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    (tmp_path / "files/disk").mkdir(parents=True)
    for name in ("disk/a", "disk/b", "c"):
        (tmp_path / f"files/{name}.txt").write_text(f"The {name[-1] * 6} is green.\n", "utf-8")
    clean(shell.run("index", str(tmp_path / "files")), 0)
    shutil.rmtree(tmp_path / "files/disk")
    shown = clean(shell.run("index"), 1).stdout.decode()
    assert "kept 2 files of a folder that lost all its files" in shown
    assert f"{tmp_path / 'files/disk'}: folder is not there any more" in shown and "index --gone" in shown
    assert b"Kept     2 files" in clean(shell.run("status"), 0).stdout
    kept = [{"folder": str(tmp_path / "files/disk"), "files": 2}]
    for command in (("status", "--json"), ("index", "--json")):
        (told,) = objects(shell.run(*command))
        assert told["kept"] == kept
    (found,) = objects(clean(shell.run("search", "--json", "green"), 0))
    assert len(found["evidence"]) == 3
    (told,) = objects(clean(shell.run("index", "--gone", "--json"), 0))
    assert (told["kept"], told["removed"]) == ([], 2)


def test_help_and_version_and_completion(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    shown = clean(shell.run("--help"), 0).stdout.decode()
    assert all(command in shown for command in ("index", "search", "ask", "status", "forget", "open"))
    assert clean(shell.run("--version"), 0).stdout.startswith(b"haystack-agent ")
    assert b"--explain" in clean(shell.run("search", "--help"), 0).stdout
    script = clean(
        shell.process("--show-completion", "bash", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1"), 0
    ).stdout
    assert b"haystack-agent" in script or b"HAYSTACK_AGENT" in script
