"""Pictures of evidence, drawn by processes that stay warm: one for small pictures, one for large ones.

Starting a process and loading its decoders takes seconds, drawing a page takes a tenth of one. A process that crashes
or takes too long is replaced, and costs the picture that it was drawing.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from haystack_agent.errors import ReadFailed
from ingest.files.lines import one_line
from ingest.workers.scratch import make_scratch

_SECONDS = 30.0
_KEPT = 48 * 2**20
"""Bytes of pictures that are kept for the next who asks."""


@dataclass(frozen=True, slots=True)
class Sketch:
    """A picture that is wanted: a page or photo or, at `seconds`, a frame; at most `side` pixels."""

    path: Path
    media_type: str
    side: int
    page: int = 1
    seconds: float | None = None
    boxes: tuple[tuple[float, float, float, float], ...] = ()
    """What is marked, in fractions of the picture."""


class DrawingLane:
    """One warm process, and what wants to be drawn by it waiting in line."""

    def __init__(self) -> None:
        self._line = ThreadPoolExecutor(1, "drawing")
        self._process: subprocess.Popen[bytes] | None = None
        self._held = ExitStack()
        self._scratch = self._held.enter_context(make_scratch())
        self._kept: OrderedDict[tuple[Sketch, int], bytes] = OrderedDict()
        self._bytes = 0

    async def jpeg(self, sketch: Sketch) -> bytes:
        """The picture as JPEG.

        Raises:
            ReadFailed: it cannot be drawn.
        """
        return await asyncio.get_running_loop().run_in_executor(self._line, self._drawn, sketch)

    def jpeg_now(self, sketch: Sketch) -> bytes:
        """The same, for threads that may wait."""
        return self._line.submit(self._drawn, sketch).result()

    def warm(self) -> None:
        """Start the process before it is needed."""
        self._line.submit(self._started)

    def close(self) -> None:
        """End the process."""
        self._line.shutdown(cancel_futures=True)
        self._end()
        self._held.close()

    def _drawn(self, sketch: Sketch) -> bytes:
        key = (sketch, _changed(sketch.path))
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        data = self._draw(sketch)
        self._kept[key] = data
        self._bytes += len(data)
        while self._bytes > _KEPT and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= len(oldest)
        return data

    def _draw(self, sketch: Sketch) -> bytes:
        target = self._scratch / "picture"
        request = {
            "path": os.fspath(sketch.path),
            "media_type": sketch.media_type,
            "page": sketch.page,
            "boxes": sketch.boxes,
            "side": sketch.side,
            "times": [] if sketch.seconds is None else [sketch.seconds],
            "target": os.fspath(target),
        }
        told = json.loads(self._answer(json.dumps(request).encode("ascii") + b"\n"))
        if told["error"] or not told["files"]:
            raise ReadFailed(one_line(told["error"] or "it shows nothing"))
        drawn = Path(told["files"][0])
        data = drawn.read_bytes()
        drawn.unlink()
        return data

    def _answer(self, request: bytes) -> bytes:
        process = self._started()
        assert process.stdin is not None and process.stdout is not None  # noqa: S101 - both are pipes
        watch = threading.Timer(_SECONDS, process.kill)
        watch.start()
        try:
            process.stdin.write(request)
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = b""
        finally:
            watch.cancel()
        if not line.endswith(b"\n"):
            self._end()
            raise ReadFailed(f"it crashed the program that draws, or took over {_SECONDS:.0f} s")
        return line

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._end()
            # -P: a folder called "ingest" where the server was started must not be imported.
            command = [sys.executable, "-P", "-m", "ingest.draw"]
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue  # the rest of a request that nobody reads any more


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
