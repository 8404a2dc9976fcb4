"""Makes a haystack: ``python -m eval.haystack FOLDER --items 46000 --seed 7 --questions 300``.

The folder gets `documents/`, `images/` and `videos/`, the questions (see `eval.questions`) and `items.jsonl`, a line
for each item. All questions are about the first 100 items, so that the same ones can be asked of the first 100, 1,000
or 10,000 lines as of all. Run again, it goes on where it was stopped, or adds to a smaller haystack.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from eval.haystack.plan import FileRecipe
from eval.haystack.writing import make_haystack
from haystack_agent.errors import HaystackError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status."""
    options = _parser().parse_args(arguments)
    recipe = FileRecipe(options.seed, options.pictures, options.videos)
    try:
        make_haystack(options.folder, recipe, options.items, options.questions, options.workers, _say)
    except HaystackError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    except KeyboardInterrupt:
        print("Stopped: run it again, it goes on.", file=sys.stderr)  # noqa: T201
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m eval.haystack", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    default = FileRecipe()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--items", type=int, default=1000, help="files (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=default.seed, help="(default: %(default)s)")
    parser.add_argument("--questions", type=int, default=300, help="(default: %(default)s)")
    parser.add_argument(
        "--pictures", type=float, default=default.pictures, help="share of pictures and scans (default: %(default)s)"
    )
    parser.add_argument("--videos", type=float, default=default.videos, help="share of videos (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: %(default)s)")
    return parser


def _say(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
