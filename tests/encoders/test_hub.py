"""Downloads against a hub on this computer: whole, cut, refused, damaged, and not at all."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest

from haystack_agent.encoders import hub as module
from haystack_agent.encoders.devices import fingerprint, refuse_pickles
from haystack_agent.encoders.hub import DownloadProgress, Hub
from haystack_agent.errors import ModelUnavailable, UsageError
from tests.support.fakehub import COMMIT, FakeHub, running

REPO = "maker/tiny"
WEIGHTS = bytes(range(256)) * 1000
FILES = {
    "config.json": b'{"a": 1}',
    "model.safetensors": WEIGHTS,
    "1_Pooling/config.json": b"{}",
    "onnx/config.json": b"{}",
    "pytorch_model.bin": b"pickle",
    "modeling.py": b"import os",
    "README.md": b"# Tiny",
    "empty.txt": b"",
}
PATTERNS = ("*.json", "*.txt", "*.safetensors", "*.bin", "*.py", "!onnx/*")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAUSE_S", 0.0)
    monkeypatch.setattr(module, "_CHUNK", 10_000)
    monkeypatch.setenv("HF_TOKEN", "secret")


@pytest.fixture
def fake() -> Iterator[FakeHub]:
    with running(FakeHub({REPO: dict(FILES)})) as hub:
        yield hub


def hub_of(fake: FakeHub, cache: Path, seen: list[DownloadProgress] | None = None) -> Hub:
    return Hub(cache, on_progress=None if seen is None else seen.append, endpoint=fake.address)


def kept(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


WANTED = {name: FILES[name] for name in ("config.json", "model.safetensors", "1_Pooling/config.json", "empty.txt")}
TOTAL = sum(map(len, WANTED.values()))


def test_a_download_brings_the_data_files_that_match_and_nothing_that_can_run(fake: FakeHub, tmp_path: Path) -> None:
    seen: list[DownloadProgress] = []
    fetched = hub_of(fake, tmp_path, seen).fetch(REPO, PATTERNS)
    assert (fetched.repo, fetched.commit) == (REPO, COMMIT)
    assert kept(fetched.folder) == WANTED
    assert tmp_path in fetched.folder.parents


def test_the_first_report_says_how_much_and_where_before_a_byte_is_fetched(fake: FakeHub, tmp_path: Path) -> None:
    seen: list[DownloadProgress] = []
    asked: list[int] = []

    def tell(progress: DownloadProgress) -> None:
        seen.append(progress)
        asked.append(sum("/resolve/" in request.path for request in fake.requests))

    fetched = Hub(tmp_path, on_progress=tell, endpoint=fake.address).fetch(REPO, PATTERNS)
    assert seen[0] == DownloadProgress(REPO, fetched.folder, TOTAL, 0)
    assert asked[0] == 0
    assert [one.done for one in seen] == sorted(one.done for one in seen)
    assert seen[-1].done == TOTAL
    assert len(seen) > 10


def test_what_is_there_is_not_asked_for_again(fake: FakeHub, tmp_path: Path) -> None:
    hub_of(fake, tmp_path).fetch(REPO, PATTERNS)
    count = len(fake.requests)
    seen: list[DownloadProgress] = []
    again = hub_of(fake, tmp_path, seen).fetch(REPO, PATTERNS)
    assert kept(again.folder) == WANTED
    assert len(fake.requests) == count
    assert not seen


def test_the_commit_stays_when_the_repository_moves_on(fake: FakeHub, tmp_path: Path) -> None:
    hub = hub_of(fake, tmp_path)
    first = hub.fetch(REPO, ["*.json"])
    fake.repos["maker/other"] = {}
    asked = len([one for one in fake.requests if one.path.startswith("/api/")])
    second = hub.fetch(REPO, PATTERNS)
    assert second == first
    assert len([one for one in fake.requests if one.path.startswith("/api/")]) == asked
    assert kept(second.folder)["model.safetensors"] == WEIGHTS
    fake.commits[REPO] = "f" * 40
    assert hub.fetch(REPO, PATTERNS) == first
    assert hub.fetch(REPO, PATTERNS, revision="f" * 40).commit == "f" * 40


def test_a_cut_is_followed_by_a_request_for_the_rest(fake: FakeHub, tmp_path: Path) -> None:
    fake.cuts["model.safetensors"] = [100_000]
    seen: list[DownloadProgress] = []
    fetched = hub_of(fake, tmp_path, seen).fetch(REPO, PATTERNS)
    assert kept(fetched.folder) == WANTED
    assert [one.range for one in fake.asked_for("model.safetensors")] == ["", "bytes=100000-"]
    assert seen[-1].done == TOTAL


def test_a_later_run_goes_on_where_the_first_gave_up(fake: FakeHub, tmp_path: Path) -> None:
    fake.cuts["model.safetensors"] = [100_000] + [0] * 10
    with pytest.raises(ModelUnavailable, match=r"cannot be fetched from http://127.* What has arrived is kept"):
        hub_of(fake, tmp_path).fetch(REPO, PATTERNS)
    fake.cuts.clear()
    fake.requests.clear()
    seen: list[DownloadProgress] = []
    fetched = hub_of(fake, tmp_path, seen).fetch(REPO, PATTERNS)
    assert kept(fetched.folder) == WANTED
    assert [one.range for one in fake.asked_for("model.safetensors")] == ["bytes=100000-"]
    assert seen[0].done >= 100_000
    assert seen[-1].done == seen[-1].total == TOTAL


def test_a_run_that_is_killed_leaves_what_it_got(fake: FakeHub, tmp_path: Path) -> None:
    def stop(progress: DownloadProgress) -> None:
        if progress.done > 50_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Hub(tmp_path, on_progress=stop, endpoint=fake.address).fetch(REPO, PATTERNS)
    fake.requests.clear()
    fetched = hub_of(fake, tmp_path).fetch(REPO, PATTERNS)
    assert kept(fetched.folder) == WANTED
    assert fake.asked_for("model.safetensors")[0].range.startswith("bytes=")


def test_a_server_that_ignores_ranges_gives_the_file_from_its_start(fake: FakeHub, tmp_path: Path) -> None:
    fake.cuts["model.safetensors"] = [100_000]
    fake.ignores_ranges = True
    seen: list[DownloadProgress] = []
    fetched = hub_of(fake, tmp_path, seen).fetch(REPO, PATTERNS)
    assert kept(fetched.folder) == WANTED
    assert seen[-1].done == TOTAL


def test_a_server_that_says_an_empty_file_is_all_is_given_up(fake: FakeHub, tmp_path: Path) -> None:
    fake.short.add("model.safetensors")
    with pytest.raises(ModelUnavailable, match="nothing more came"):
        hub_of(fake, tmp_path).fetch(REPO, PATTERNS)
    assert len(fake.asked_for("model.safetensors")) == 4


def test_a_busy_server_is_asked_again(fake: FakeHub, tmp_path: Path) -> None:
    fake.failures = [503, 500]
    assert kept(hub_of(fake, tmp_path).fetch(REPO, PATTERNS).folder) == WANTED
    fake.failures = [429]
    with pytest.raises(ModelUnavailable, match=r"status 429.*wait a while"):
        hub_of(fake, tmp_path / "other").fetch(REPO, PATTERNS)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_damaged_file_is_refused_and_deleted(fake: FakeHub, tmp_path: Path, name: str) -> None:
    fake.damaged.add(name)
    with pytest.raises(ModelUnavailable, match=rf"{name} of maker/tiny arrived with the digest \w+, not \w+"):
        hub_of(fake, tmp_path).fetch(REPO, PATTERNS)
    assert not list(tmp_path.rglob(f"{name}*"))
    fake.damaged.clear()
    assert kept(hub_of(fake, tmp_path).fetch(REPO, PATTERNS).folder) == WANTED


def test_offline_uses_the_cache_and_otherwise_says_what_to_do(fake: FakeHub, tmp_path: Path) -> None:
    offline = Hub(tmp_path, offline=True, endpoint=fake.address)
    with pytest.raises(ModelUnavailable, match=r"maker/tiny is not in .* nothing may be downloaded: allow it once"):
        offline.fetch(REPO, PATTERNS)
    assert not fake.requests
    assert not list(tmp_path.iterdir())
    online = hub_of(fake, tmp_path).fetch(REPO, PATTERNS)
    count = len(fake.requests)
    assert offline.fetch(REPO, PATTERNS) == online
    (online.folder / "model.safetensors").write_bytes(b"cut")
    with pytest.raises(ModelUnavailable, match="or not all of it"):
        offline.fetch(REPO, PATTERNS)
    assert len(fake.requests) == count


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (404, "RepoNotFound", r"knows no model maker/tiny.*\(404\): check the name"),
        (401, "RepoNotFound", r"does not show it to you \(401\).*hf auth login"),
        (401, "", r"does not show it to you \(401\).*hf auth login"),
        (403, "GatedRepo", r"accept its terms: do so at http://127.*/maker/tiny, log in"),
        (401, "GatedRepo", "accept its terms"),
        (404, "RevisionNotFound", "no such revision"),
        (500, "", r"\(status 500\): wait a while"),
    ],
)
def test_a_refusal_says_why_and_what_to_do(fake: FakeHub, tmp_path: Path, status: int, code: str, said: str) -> None:
    fake.refusals[REPO] = (status, code)
    with pytest.raises(ModelUnavailable, match=said):
        hub_of(fake, tmp_path).fetch(REPO, PATTERNS)


def test_no_network(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"cannot be fetched from http://127.0.0.1:9 .*check the connection"):
        Hub(tmp_path, endpoint="http://127.0.0.1:9").fetch(REPO, PATTERNS)


def test_a_full_disk(fake: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(10**9, 10**9, 1000))
    with pytest.raises(ModelUnavailable, match=r"cannot be kept in .*0.3 MB are needed.*make room on that disk"):
        hub_of(fake, tmp_path).fetch(REPO, PATTERNS)
    monkeypatch.undo()
    real_open = Path.open

    def full(self: Path, *args: str, **kwargs: str) -> object:
        if self.suffix == ".part" and "ab" in args:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real_open(self, *args, **kwargs)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(ModelUnavailable, match=r"No space left.*make room on that disk"):
        hub_of(fake, tmp_path).fetch(REPO, PATTERNS)


def test_a_cache_that_cannot_be_written_to(fake: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ModelUnavailable, match=r"cannot be kept in .*choose a folder that can be written to"):
        hub_of(fake, tmp_path / "file").fetch(REPO, PATTERNS)


def test_weights_that_are_pickles_only_are_refused_before_anything_is_fetched(fake: FakeHub, tmp_path: Path) -> None:
    del fake.repos[REPO]["model.safetensors"]
    with pytest.raises(ModelUnavailable, match=r"weights as pytorch_model.bin, a format that can run code"):
        hub_of(fake, tmp_path).fetch(REPO, PATTERNS)
    assert not [one for one in fake.requests if "/resolve/" in one.path]
    assert hub_of(fake, tmp_path).fetch(REPO, ["*.json"]).commit == COMMIT


def test_a_repository_of_something_else_is_refused(fake: FakeHub, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"maker/tiny has no file \*.gguf"):
        hub_of(fake, tmp_path).fetch(REPO, ["*.gguf"])


def test_file_names_that_leave_the_folder_are_not_followed(fake: FakeHub, tmp_path: Path) -> None:
    bad = ("../up.json", "/abs.json", "a/../../b.json", "a\\..\\b.json", "C:x.json", "a//b.json")
    fake.repos[REPO] |= dict.fromkeys(bad, b"{}")
    fetched = hub_of(fake, tmp_path / "cache").fetch(REPO, PATTERNS)
    assert kept(fetched.folder) == WANTED
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]


@pytest.mark.parametrize("repo", ["a/b/c", "../x", "a/..", "", "a/", "a b/c", "é/x", "a--b/c", "C:/x"])
def test_names_that_are_not_repositories(tmp_path: Path, repo: str) -> None:
    with pytest.raises(UsageError, match="write owner/name"):
        Hub(tmp_path).fetch(repo, PATTERNS)


def test_the_token_goes_to_the_hub_and_not_to_where_it_redirects(fake: FakeHub, tmp_path: Path) -> None:
    hub_of(fake, tmp_path).fetch(REPO, PATTERNS)
    assert all(one.authorised for one in fake.requests if not one.path.startswith("/cdn/"))
    assert not any(one.authorised for one in fake.asked_for(""))


def test_the_variables_of_the_hub_are_honoured(fake: FakeHub, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from haystack_agent.encoders.hub import Hub\n"
        f"print(Hub(Path(sys.argv[1])).fetch({REPO!r}, ['*.json']).commit)"
    )

    def run(**variables: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"HF_ENDPOINT": fake.address} | variables
        command = [sys.executable, "-W", "error", "-c", program, str(tmp_path)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    offline = run(HF_HUB_OFFLINE="1")
    assert "nothing may be downloaded" in offline.stderr
    assert not fake.requests
    online = run()
    assert online.stdout.strip() == COMMIT, online.stderr
    assert run(HF_HUB_OFFLINE="1").stdout.strip() == COMMIT


def test_a_damaged_listing_says_what_to_delete(fake: FakeHub, tmp_path: Path) -> None:
    hub_of(fake, tmp_path).fetch(REPO, PATTERNS)
    (tmp_path / "maker--tiny" / "main.listing.json").write_text("{", "utf-8")
    with pytest.raises(ModelUnavailable, match="delete the folder it is in"):
        hub_of(fake, tmp_path).fetch(REPO, PATTERNS)


def test_a_hub_without_digests_is_not_used(fake: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.support.fakehub.described", lambda name, data: {"rfilename": name})
    with pytest.raises(ModelUnavailable, match=r"does not say the size and digest of config\.json"):
        hub_of(fake, tmp_path).fetch(REPO, PATTERNS)


def test_pickles_in_a_folder_are_refused_unless_safetensors_are_beside_them(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"")
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    refuse_pickles(tmp_path, "x")
    (tmp_path / "2_Dense").mkdir()
    (tmp_path / "2_Dense" / "pytorch_model.BIN").write_bytes(b"")
    with pytest.raises(ModelUnavailable, match=r"x has its weights as 2_Dense/pytorch_model.BIN"):
        refuse_pickles(tmp_path, "x")


def test_a_fingerprint_changes_with_every_part(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"a")
    two.write_bytes(b"b")
    several: list[list[str | Path]] = [[one], [two], [one, two], [two, one], ["c", one], ["d", one], ["c"]]
    prints = {fingerprint(parts) for parts in several}
    assert len(prints) == 7
    assert all(len(digits) == 16 for digits in prints)
    with pytest.raises(ModelUnavailable, match="cannot be read"):
        fingerprint([tmp_path / "none"])
