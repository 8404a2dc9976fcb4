"""The generator of haystacks: same files each time, nested, and one right place for every question."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from eval.haystack.__main__ import main
from eval.haystack.media import emoji
from eval.haystack.plan import EVIDENCE, FileRecipe, HaystackPlan
from eval.haystack.values import LANGUAGES, Kind, Task
from eval.haystack.words import words_of
from eval.questions import Question, read_questions
from haystack_agent.encoders.profile import profile_of_index
from haystack_agent.index_files import IndexFiles, read_card
from haystack_agent.index_location import IndexLocation
from haystack_agent.store.opening import open_store
from haystack_agent.text.fold import fold
from ingest.indexing import index
from ingest.pipeline import IndexOptions
from tests.support.paths import ROOT

SMALL, LARGE = 60, 140
RECIPE = FileRecipe(pictures=0.2, videos=0.1)
MIX = ("--pictures", "0.2", "--videos", "0.1")

pytestmark = pytest.mark.skipif(
    not emoji.FONT.exists() or not emoji.CLDR.exists(), reason="a Debian package is missing"
)


def make(folder: Path, items: int, workers: int, questions: int = 120, *more: str) -> Path:
    numbers = ("--items", str(items), "--workers", str(workers), "--questions", str(questions))
    assert main([str(folder), *numbers, *MIX, *more]) == 0
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def manifest(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "items.jsonl").read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("haystacks") / "small", SMALL, 1)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("haystacks") / "large", LARGE, 2, 300)


def test_a_small_haystack_is_the_beginning_of_a_large_one_made_in_two_processes(small: Path, large: Path) -> None:
    one, other = manifest(small), manifest(large)
    assert len(one) == SMALL and len(other) == LARGE
    assert other[:SMALL] == one
    assert [entry["index"] for entry in other] == list(range(LARGE))
    for entry in one:
        path = str(entry["path"])
        assert (small / path).read_bytes() == (large / path).read_bytes(), path


def test_folder_and_manifest_agree(large: Path) -> None:
    listed = {str(entry["path"]) for entry in manifest(large)}
    assert len(listed) == LARGE
    assert set(tree(large)) == listed | {"items.jsonl", "questions.jsonl", "haystack.json"}


def test_another_process_and_another_folder_give_the_same_bytes(small: Path, tmp_path: Path) -> None:
    code = [sys.executable, "-W", "error", "-m", "eval.haystack", str(tmp_path), "--items", str(SMALL), *MIX]
    subprocess.run([*code, "--workers", "2", "--questions", "120"], check=True, cwd=ROOT, capture_output=True)
    assert tree(tmp_path) == tree(small)


def test_another_seed_gives_other_files(small: Path, tmp_path: Path) -> None:
    other = make(tmp_path, 20, 1, 20, "--seed", "8")
    assert not set(tree(other)) & {str(entry["path"]) for entry in manifest(small)}
    assert not {tuple(one["texts"]) for one in manifest(other)} & {tuple(one["texts"]) for one in manifest(small)}  # type: ignore[arg-type]


def test_again_changes_nothing_and_more_items_are_added(small: Path, tmp_path: Path) -> None:
    make(tmp_path, 20, 1, 20)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    make(tmp_path, 20, 1, 20)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    make(tmp_path, SMALL, 1)
    assert tree(tmp_path) == tree(small)


@pytest.mark.skipif(os.name != "posix", reason="kills a group of processes")
def test_killed_in_the_middle_and_run_again(small: Path, tmp_path: Path) -> None:
    code = [sys.executable, "-m", "eval.haystack", str(tmp_path), "--items", "2000", *MIX, "--workers", "2"]
    process = subprocess.Popen(code, cwd=ROOT, stderr=subprocess.DEVNULL)
    while process.poll() is None and len(tree(tmp_path)) < 30:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it was done before it could be killed"
    settled = _settled(tmp_path)
    assert not (tmp_path / "items.jsonl").exists()
    assert 30 <= len(settled) < 2000
    make(tmp_path, SMALL, 1)
    done = tree(tmp_path)
    assert {path: done[path] for path in tree(small)} == tree(small)


def _settled(folder: Path) -> dict[str, bytes]:
    """The files, once no worker writes any more: they must end with their parent."""
    for _ in range(50):
        before = tree(folder)
        time.sleep(0.3)
        if tree(folder) == before:
            return before
    raise AssertionError("workers outlive their parent")


def entities() -> set[str]:
    """Every name that an item may have, with no help from the generator's own keys."""
    found: set[str] = set()
    for language in LANGUAGES:
        words = words_of(language)
        found |= {*words.places, *words.companies}
        found |= {words.person.format(first=one, last=other) for one in words.firsts for other in words.lasts}
    return found


NAMES = entities()
CODES = re.compile(r"(?<![A-Za-z])[A-Z][a-z]+ \d{3}(?!\d)|(?<!\d)\d{4}-\d{5}(?!\d)")


def named(question: Question, seen: str) -> set[str]:
    """What a question names of what is in its evidence."""
    found = {name for name in NAMES if name in question.text and name in seen}
    found |= {code for code in CODES.findall(question.text) if code in seen}
    names = emoji.names()
    things = {sign for sign in emoji.THINGS if sign in seen and re.search(_word(names[sign], question), question.text)}
    return found | (things if not found else set())


def _word(names: dict[str, str], question: Question) -> str:
    word = re.escape(names[question.language])
    return word if question.language in ("ja", "zh") else rf"(?<!\w){word}(?!\w)"


def matching(question: Question, texts: Sequence[str], own: int) -> list[int]:
    """Indexes of the items that have everything that the question names."""
    wanted = named(question, texts[own])
    assert wanted, question
    return [index for index, text in enumerate(texts) if all(name in text for name in wanted)]


def test_each_question_has_one_evidence(large: Path) -> None:
    entries = manifest(large)
    places = {str(entry["path"]): index for index, entry in enumerate(entries)}
    plan = HaystackPlan(RECIPE)
    texts = [_joined(entry["texts"]) for entry in entries]
    assert texts == [_joined(plan.item(index).texts()) for index in range(LARGE)]
    texts += [_joined(plan.item(index).texts()) for index in range(LARGE, 4000)]
    questions = read_questions(large)
    for question in questions:
        (path,) = question.evidence
        assert places[path] < EVIDENCE
        assert matching(question, texts, places[path]) == [places[path]], question
    # The check sees a second evidence: here it is.
    (path,) = questions[0].evidence
    assert len(matching(questions[0], [*texts, texts[places[path]]], places[path])) == 2


def _joined(texts: object) -> str:
    assert isinstance(texts, list)
    return "\n".join(texts)


def test_distractors_share_some_of_the_names(large: Path) -> None:
    plan = HaystackPlan(RECIPE)
    texts = [_joined(plan.item(index).texts()) for index in range(4000)]
    shared = 0
    for question in read_questions(large):
        own = int(next(e["index"] for e in manifest(large) if e["path"] == question.evidence[0]))  # type: ignore[call-overload]
        wanted = named(question, texts[own])
        shared += any(name in text for index, text in enumerate(texts) if index != own for name in wanted)
    assert shared > 200


def test_questions_are_of_every_kind(large: Path) -> None:
    questions = read_questions(large)
    assert len(questions) == 300
    assert len({question.text for question in questions}) == 300
    tasks = Counter(question.task for question in questions)
    assert set(tasks) == {task.value for task in Task} and min(tasks.values()) >= 20, tasks
    languages = Counter(question.language for question in questions)
    assert set(languages) == set(LANGUAGES) and min(languages.values()) >= 10, languages
    needs = Counter(question.needs for question in questions)
    assert min(needs["text"], needs["vision"]) > 50 and set(needs) == {"text", "vision"}
    modalities = Counter(question.modality for question in questions)
    assert modalities["image"] >= 75 and modalities["video"] >= 45 and modalities["document"] >= 75
    written = {str(entry["path"]): entry["language"] for entry in manifest(large)}
    foreign = sum(question.language != written[question.evidence[0]] for question in questions)
    assert 0.4 < foreign / 300 < 0.8
    assert all(question.time for question in questions if question.modality == "video")
    pages = [question.page for question in questions if question.evidence[0].endswith("pdf")]
    assert pages and set(pages) == {1}


def test_questions_are_about_the_first_items_only(small: Path, large: Path) -> None:
    assert read_questions(large)[:SMALL] == read_questions(small)[:SMALL]
    shown = {str(entry["path"]) for entry in manifest(small)}
    assert {question.evidence[0] for question in read_questions(small)} == shown


def test_items_are_of_every_kind_and_mixed_as_asked() -> None:
    plan = HaystackPlan(RECIPE)
    first = Counter(plan.item(index).modality.value for index in range(EVIDENCE))
    assert first["image"] >= 25 and first["video"] >= 15 and first["document"] >= 25
    later = Counter(plan.item(index).kind for index in range(EVIDENCE, EVIDENCE + 2000))
    assert set(later) == set(Kind)
    assert 150 < later[Kind.FILM] < 250
    assert 1300 < sum(later[kind] for kind in (Kind.LETTER, Kind.SHEET, Kind.INVOICE, Kind.REPORT)) < 1500


def test_names_of_files_tell_nothing() -> None:
    plan = HaystackPlan(FileRecipe())
    paths = [plan.path(index, plan.item(index)) for index in range(5000)]
    assert len(set(paths)) == 5000
    folders: dict[str, list[int]] = defaultdict(list)
    for place, path in enumerate(paths):
        folders[path.rpartition("/")[0]].append(place)
    documents = {name: len(places) for name, places in folders.items() if name.startswith("documents")}
    assert len(documents) == 48 and max(documents.values()) < 2 * min(documents.values())
    early = {name for name, places in folders.items() if name in documents and min(places) < EVIDENCE}
    assert len(early) > 15, "the evidence lies all over the folder"


def test_every_file_is_read_and_answers_stand_in_the_text(small: Path, tmp_path: Path) -> None:
    location = IndexLocation(tmp_path / "index")
    report = index(location, [small], IndexOptions(workers=1))
    assert report.counts.indexed == SMALL and report.counts.failed == 0
    assert {Path(one.path).name for one in report.problems} == {"items.jsonl", "questions.jsonl", "haystack.json"}
    read = _texts_read(location, small)
    assert set(read) == {str(entry["path"]) for entry in manifest(small)}
    asked = [question for question in read_questions(small) if question.needs == "text"]
    asked = [question for question in asked if not question.answers[0].isdigit()]  # sums stand nowhere
    found = Counter((question.modality, _stands(question, read[question.evidence[0]])) for question in asked)
    for modality in ("document", "image", "video"):
        right, wrong = found[modality, True], found[modality, False]
        assert right > 0.8 * (right + wrong) > 0, found
    assert found["document", False] <= 2, found


def _stands(question: Question, text: str) -> bool:
    return any(_plain(answer) in _plain(text) for answer in question.answers)


def _plain(text: str) -> str:
    return "".join(fold(text).split())


def _texts_read(location: IndexLocation, folder: Path) -> dict[str, str]:
    profile = profile_of_index(read_card(IndexFiles(location.path)).profile)
    store = open_store(location, profile.schema, create=False)
    try:
        texts: defaultdict[str, str] = defaultdict(str)
        for indexed in store.fetch(sorted(store.asset_ids())):
            texts[str(Path(indexed.paths[0]).relative_to(folder.resolve()))] += indexed.piece.text + "\n"
        return texts
    finally:
        store.close()


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_an_interrupt_is_no_crash(tmp_path: Path) -> None:
    code = [sys.executable, "-m", "eval.haystack", str(tmp_path), "--items", "5000", *MIX, "--workers", "2"]
    process = subprocess.Popen(code, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while process.poll() is None and len(tree(tmp_path)) < 30:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers, too
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Stopped: run it again" in errors and "Traceback" not in errors


def refused(capsys: pytest.CaptureFixture[str], arguments: Iterable[object]) -> str:
    assert main([*map(str, arguments)]) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    return message


def test_what_cannot_be_done_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("mine")
    assert "holds other files" in refused(capsys, [tmp_path / "other", "--items", 10, "--questions", 5])
    assert "is too many: " in refused(capsys, [tmp_path / "new", "--items", 10, "--questions", 50])
    assert "no shares" in refused(capsys, [tmp_path / "new", "--pictures", 0.7, "--videos", 0.4])
    assert "larger numbers" in refused(capsys, [tmp_path / "new", "--items", 0])
    assert not (tmp_path / "new").exists()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "haystack.json").write_text(json.dumps(RECIPE.card(), indent=1) + "\n")
    (tmp_path / "full" / "documents").write_text("where a folder should be")
    assert "cannot be written" in refused(capsys, [tmp_path / "full", "--items", 10, "--questions", 5, *MIX])
    make(tmp_path / "made", 10, 1, 5)
    capsys.readouterr()
    assert "other options" in refused(capsys, [tmp_path / "made", "--items", 10, "--questions", 5, "--seed", 9, *MIX])
    assert "10 items already" in refused(capsys, [tmp_path / "made", "--items", 5, "--questions", 5, *MIX])


@pytest.mark.parametrize(("place", "package"), [("FONT", "fonts-noto-color-emoji"), ("CLDR", "unicode-cldr-core")])
def test_a_missing_package_is_named(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    package: str,
) -> None:
    monkeypatch.setattr(emoji, place, tmp_path / "nowhere")
    emoji._glyphs.cache_clear()
    emoji.names.cache_clear()
    assert package in refused(capsys, [tmp_path / "new", "--items", 10, "--questions", 5])
    assert not (tmp_path / "new").exists()


def test_the_words_of_all_languages_correspond() -> None:
    english = words_of("en")
    for language in LANGUAGES:
        words = words_of(language)
        assert words.labels.keys() == english.labels.keys()
        assert words.asks.keys() == english.asks.keys()
        for group, terms in words.terms.items():
            assert len(set(terms)) == len(english.terms[group]), (language, group)
        for name, sentence in {**words.asks, **words.labels}.items():
            own = {**english.asks, **english.labels}[name]
            assert set(re.findall(r"{\w+}", sentence)) == set(re.findall(r"{\w+}", own)), (language, name)
