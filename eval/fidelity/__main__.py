"""Measures it: ``python -m eval.fidelity FILE.pdf [--text FILE]``."""

import sys

from eval.fidelity.pages import main

if __name__ == "__main__":
    sys.exit(main())
