"""The demo: ``python -m ui.demo [FOLDER]`` makes a sample folder, indexes it, and asks it five questions.

It runs the command line as a person would, each command shown before its output. The index of the demo is one of its
own, beside the sample folder.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from pathlib import Path

from eval.sample.folder import make_sample

QUESTIONS = (
    "How much is the total due on the invoice from Brightwater Cycles?",
    "Wie lange ist die Kündigungsfrist der Wohnung?",
    "V kolik hodin je začátek koncertu?",
    "What pressure should I pump the tyre to?",
    "When does the work on the pump behind plot 17 start?",
)
"""In English, German, Czech and English; they are answered by a table, a scan, a picture, a video and a Word file."""


def run(arguments: list[str]) -> int:
    """Show a command and run it; its exit code."""
    shown = shlex.join(["haystack-agent", *arguments])
    print(f"\n$ {shown}", flush=True)  # noqa: T201
    # -P: what lies in the folder where the user stands must not be imported.
    return subprocess.run([sys.executable, "-P", "-m", "ui.cli", *arguments], check=False).returncode


def main() -> int:
    """Run the demo; 0 when everything was indexed and answered."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("sample"))
    base: Path = parser.parse_args().folder
    files, index = base / "files", os.path.join(base, "index")  # noqa: PTH118 - keeps a leading './' out and the '/' in
    print(f"Making {len(make_sample(files))} files in {files}")  # noqa: T201
    codes = [run(["index", str(files), "--index", index])]
    codes += [run(["ask", "--index", index, question]) for question in QUESTIONS]
    run(["status", "--index", index])
    print(  # noqa: T201
        f"""
Try next:
  {sys.executable} -m ui.cli is what runs above; `source .venv/bin/activate` makes it `haystack-agent`.
  haystack-agent open 1                                  shows the last answer where it stands
  haystack-agent search --index {index} --modality image 图书馆
  haystack-agent index ~/Documents                       reads your own files into your own index
  haystack-agent ask "..."                               asks them"""
    )
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main())
