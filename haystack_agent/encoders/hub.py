"""Model files from a Hugging Face hub, kept in a folder of our own: data only, never code or pickles.

`huggingface_hub` is asked what a repository holds, and lends its connection and settings (``HF_ENDPOINT``,
``HF_HUB_OFFLINE``, ``HF_TOKEN``). Its own downloads are not used: an interrupted one starts anew, none is checked.

    CACHE/owner--name/REVISION.listing.json    what the repository held when it was first asked: the commit, the files
    CACHE/owner--name/COMMIT/...               the files; ``*.part`` is one that is not complete
"""

from __future__ import annotations

import errno
import json
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from haystack_agent.encoders.devices import check_digest, is_data, is_pickle, pickle_refusal
from haystack_agent.errors import ModelUnavailable, UsageError
from haystack_agent.system.full_disk import is_full
from haystack_agent.system.whole_files import write_whole

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoSibling

_CHUNK = 1 << 20
_TIMEOUT_S = 30.0
_TRIES = 4  # without a single byte having arrived in between
_PAUSE_S = 2.0
_LEFT_FREE = 50_000_000


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """Where a download stands. The first report comes before the first byte is fetched."""

    repo: str
    folder: Path
    """Where the files are kept."""
    total: int
    """Bytes of all the files asked for."""
    done: int
    """Bytes of them that are on the disk."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """Files of one repository as they were at one commit."""

    repo: str
    commit: str
    folder: Path


@dataclass(frozen=True, slots=True)
class _File:
    """A file as the hub describes it; `digest` is ``sha256:`` of its bytes or ``git:`` and its blob's SHA-1."""

    path: str
    size: int
    digest: str


@dataclass(frozen=True, slots=True)
class _Listing:
    repo: str
    commit: str
    files: tuple[_File, ...]


@dataclass(frozen=True, slots=True)
class Hub:
    """How models are fetched: where they are kept, whether the network may be used, who is told."""

    cache: Path
    offline: bool = False
    """Use what is in the cache only; ``HF_HUB_OFFLINE=1`` does the same."""
    on_progress: Callable[[DownloadProgress], None] | None = None
    endpoint: str | None = None
    """Address of the hub; that of ``HF_ENDPOINT``, else the public one, if ``None``."""

    def fetch(self, repo: str, patterns: Sequence[str], revision: str = "main") -> Fetched:
        """The files of a repository that match a pattern and are data; those in the cache are not fetched again.

        A branch or tag is resolved to a commit once, and is that commit from then on: the same weights come back until
        the repository's folder is deleted from the cache. A pattern is a glob over the whole path (``*`` crosses
        folders); with ``!`` before it, what matches is left out.

        Raises:
            UsageError: `repo` is not a name like ``owner/name``.
            ModelUnavailable: no network, no such repository or revision, no permission, no room, a damaged download,
                or nothing that may be fetched matches.
        """
        from filelock import FileLock

        home = self.cache / _folder_name(repo)
        record = home / f"{quote(revision, safe='')}.listing.json"
        listing = _read_listing(record)
        if listing is None or _missing(home / listing.commit, _matching(listing, patterns)):
            self._refuse_offline(repo)
            with _explained(repo, self._address(), self.cache), FileLock(home / ".lock"):
                # Another process may have asked while this one waited.
                listing = _read_listing(record) or self._ask(repo, revision, record)
                self._download(home / listing.commit, listing, _matching(listing, patterns))
        return Fetched(listing.repo, listing.commit, home / listing.commit)

    def _refuse_offline(self, repo: str) -> None:
        from huggingface_hub import is_offline_mode

        if self.offline or is_offline_mode():
            raise ModelUnavailable(
                f"{repo} is not in {self.cache}, or not all of it, and nothing may be downloaded: allow it once (unset "
                "HF_HUB_OFFLINE, leave offline mode), copy that folder from a computer that has it, or name a folder."
            )

    def _address(self) -> str:
        from huggingface_hub import constants

        return (self.endpoint or constants.ENDPOINT).rstrip("/")

    def _ask(self, repo: str, revision: str, record: Path) -> _Listing:
        """Ask the hub what the repository holds, and write it down."""
        from huggingface_hub import HfApi

        api = HfApi(endpoint=self._address())
        info = api.model_info(repo, revision=revision, files_metadata=True, timeout=_TIMEOUT_S)
        commit = info.sha or ""
        if not re.fullmatch("[0-9a-f]{40}", commit):
            raise ModelUnavailable(f"The hub {self._address()} names no commit for {repo}: check HF_ENDPOINT.")
        listing = _Listing(repo, commit, tuple(_described(repo, file) for file in info.siblings or ()))
        write_whole(record, json.dumps(asdict(listing), ensure_ascii=False, indent=1))
        return listing

    def _download(self, folder: Path, listing: _Listing, wanted: Sequence[_File]) -> None:
        from huggingface_hub import hf_hub_url

        missing = _missing(folder, wanted)
        total = sum(file.size for file in wanted)
        done = total - sum(max(file.size - _size(_part(folder / file.path)), 0) for file in missing)

        def count(arrived: int) -> None:
            nonlocal done
            done += arrived
            if self.on_progress is not None:
                self.on_progress(DownloadProgress(listing.repo, folder, total, done))

        count(0)
        if (free := shutil.disk_usage(folder.parent).free) < total - done + _LEFT_FREE:
            raise OSError(errno.ENOSPC, f"{(total - done) / 1e6:,.1f} MB are needed, {free / 1e6:,.1f} MB are free")
        for file in missing:
            target = folder / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            url = hf_hub_url(listing.repo, file.path, revision=listing.commit, endpoint=self._address())
            _Transfer(url, file.size, _part(target), count).run()
            check_digest(_part(target), file.digest, f"{file.path} of {listing.repo}")
            _part(target).replace(target)


@dataclass(frozen=True, slots=True)
class _Transfer:
    """One file on its way into its part file, going on where an earlier transfer was cut."""

    url: str
    size: int
    part: Path
    count: Callable[[int], None]

    def run(self) -> None:
        import httpx2
        from huggingface_hub.errors import HfHubHTTPError

        if _size(self.part) > self.size:
            self._restart()
        self.part.touch()
        left = _TRIES
        while (have := _size(self.part)) < self.size:
            cut: Exception = httpx2.ReadError("nothing more came")
            try:
                self._stream(have)
            except (httpx2.TransportError, HfHubHTTPError) as error:
                if isinstance(error, HfHubHTTPError) and error.response.status_code < 500:
                    raise
                cut = error
                time.sleep(_PAUSE_S)
            left = _TRIES if _size(self.part) > have else left - 1
            if not left:
                raise cut

    def _stream(self, have: int) -> None:
        from huggingface_hub import get_session, hf_raise_for_status
        from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

        headers = build_hf_headers() | {"Accept-Encoding": "identity"}  # ranges count the bytes of the file itself
        if have:
            headers["Range"] = f"bytes={have}-"
        with get_session().stream("GET", self.url, headers=headers, timeout=_TIMEOUT_S) as response:
            hf_raise_for_status(response)
            if have and not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
                self._restart()
            with self.part.open("ab") as out:
                for chunk in response.iter_bytes(_CHUNK):
                    out.write(chunk)
                    self.count(len(chunk))
                    if out.tell() > self.size:
                        return  # its digest cannot be right either: the check says so

    def _restart(self) -> None:
        self.count(-min(_size(self.part), self.size))
        self.part.unlink()


def _folder_name(repo: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9_][\w.-]*)?", repo, re.ASCII) or ".." in repo or "--" in repo:
        raise UsageError(f"{repo!r} is not the name of a model on a hub: write owner/name, for a folder ./name.")
    return repo.replace("/", "--")


def _described(repo: str, file: RepoSibling) -> _File:
    digest = f"sha256:{file.lfs.sha256}" if file.lfs else f"git:{file.blob_id}"
    size = file.lfs.size if file.lfs else file.size
    if size is None or digest == "git:None":
        raise ModelUnavailable(
            f"The hub does not say the size and digest of {file.rfilename} in {repo}: use another HF_ENDPOINT."
        )
    return _File(file.rfilename, size, digest)


def _read_listing(record: Path) -> _Listing | None:
    try:
        values = json.loads(record.read_text("utf-8"))
        return _Listing(values["repo"], values["commit"], tuple(_File(**file) for file in values["files"]))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelUnavailable(f"{record} cannot be read ({error}): delete the folder it is in.") from error


def _matching(listing: _Listing, patterns: Sequence[str]) -> list[_File]:
    """Raises `ModelUnavailable` where nothing matches, or where weights are asked for and only pickles are there."""
    left_out = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    files = [file for file in listing.files if not any(fnmatchcase(file.path, pattern) for pattern in left_out)]
    chosen = [file for file in files if is_data(file.path) and any(fnmatchcase(file.path, one) for one in patterns)]
    pickle = next((file.path for file in listing.files if is_pickle(file.path)), None)
    asked = any(pattern.endswith(".safetensors") for pattern in patterns)
    if pickle and asked and not any(file.path.endswith(".safetensors") for file in chosen):
        raise ModelUnavailable(pickle_refusal(listing.repo, pickle))
    if not chosen:
        raise ModelUnavailable(f"{listing.repo} has no file {' or '.join(patterns)}: it is not a model of this kind.")
    return chosen


def _missing(folder: Path, files: Sequence[_File]) -> list[_File]:
    return [file for file in files if _size(folder / file.path) != file.size or not (folder / file.path).is_file()]


def _part(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


@contextmanager
def _explained(repo: str, hub: str, cache: Path) -> Iterator[None]:
    """Turn what can go wrong on the way into words."""
    import httpx2
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RevisionNotFoundError

    login, again = "log in with `hf auth login` or set HF_TOKEN", "then try again. What has arrived is kept."
    try:
        yield
    except GatedRepoError as error:
        terms = f"{repo} is given only to those who accept its terms: do so at {hub}/{repo}, {login}, then try again."
        raise ModelUnavailable(terms) from error
    except RevisionNotFoundError as error:
        raise ModelUnavailable(f"{repo} has no such revision at {hub}: check the branch, tag or commit.") from error
    except HfHubHTTPError as error:
        status = error.response.status_code
        unknown = f"{hub} knows no model {repo}, or does not show it to you ({status}): check the name, or {login}."
        busy = f"{hub} does not give {repo} (status {status}): wait a while, {again}"
        raise ModelUnavailable(unknown if status in {401, 403, 404} else busy) from error
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise ModelUnavailable(
            f"{repo} cannot be fetched from {hub} ({error or type(error).__name__}): check the connection, and "
            f"HF_ENDPOINT if it is set, {again}"
        ) from error
    except OSError as error:
        way_out = "make room on that disk" if is_full(error) else "choose a folder that can be written to"
        told = f"{repo} cannot be kept in {cache} ({error.strerror or error}): {way_out}, {again}"
        raise ModelUnavailable(told) from error
