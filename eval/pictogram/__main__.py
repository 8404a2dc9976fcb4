"""Runs the experiment: ``python -m eval.pictogram OUT_FOLDER [--quick]``."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from eval.pictogram.experiment import Experiment
from eval.pictogram.plan import FULL, QUICK
from haystack_agent.errors import HaystackError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all stages that are not done yet; 0 where it went well."""
    parser = argparse.ArgumentParser(prog="python -m eval.pictogram", description=__doc__)
    parser.add_argument("folder", type=Path, help="where everything goes; a run that was stopped goes on from there")
    parser.add_argument("--quick", action="store_true", help="a tiny run that learns next to nothing")
    parser.add_argument("--threads", type=int, default=2, help="1 where other programs keep the processor busy")
    options = parser.parse_args(arguments)
    import torch

    torch.set_num_threads(options.threads)
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"[{time.monotonic() - began:5.0f} s] {line}", flush=True)  # noqa: T201

    try:
        Experiment(options.folder, QUICK if options.quick else FULL, say).run()
    except HaystackError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
