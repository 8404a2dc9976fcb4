"""The memory of a worker process: kept between allocations, as that is faster, and given back before it is too much."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable

import psutil

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
_KEPT = 768 << 20
_GROWTH = 768 << 20
_TICK = 0.2


def keep_freed_memory() -> None:
    """Let glibc reuse large buffers: decoding and OCR otherwise spend a tenth of their time on fresh pages."""
    mallopt = _of_glibc("mallopt")
    if mallopt is not None:
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, 256 << 20)
        threading.Thread(target=_stay_small, name="haystack-memory", daemon=True).start()


def give_memory_back() -> None:
    """Return what glibc keeps, where it is much: what one big file needed must not count against the next."""
    trim = _of_glibc("malloc_trim")
    if trim is not None and psutil.Process().memory_info().rss >= _KEPT:
        trim(0)


def limit_memory(memory: int | None) -> None:
    """Let allocations fail at three times the limit beyond what is held: the parent's watch is finer, but slower, and
    counts what is in use, not what was given back and only keeps its address."""
    if not sys.platform.startswith("linux"):
        return
    import resource

    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    limit = hard if memory is None else 3 * memory + int(psutil.Process().memory_info().data)
    resource.setrlimit(resource.RLIMIT_DATA, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def _stay_small() -> None:
    """Give back what lies free between what is in use: buffers of ever new sizes, as those of a long scan's lines, do
    not fit into the gaps that earlier ones left, so that a worker would grow with every page."""
    trim = _of_glibc("malloc_trim")
    process, pause = psutil.Process(), threading.Event()
    least = process.memory_info().rss
    while trim is not None and not pause.wait(_TICK):
        with contextlib.suppress(MemoryError):  # the decoder has the word about that
            held = process.memory_info().rss
            if held > least + _GROWTH:
                trim(0)
                least = process.memory_info().rss
            least = min(least, held)


def _of_glibc(name: str) -> Callable[..., int] | None:
    """A function that only glibc has."""
    if not sys.platform.startswith("linux"):
        return None
    import ctypes

    found: Callable[..., int] | None = getattr(ctypes.CDLL(None), name, None)
    return found
