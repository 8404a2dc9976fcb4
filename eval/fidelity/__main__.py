"""Measures it: ``python -m eval.fidelity FILE.pdf [--text FILE]``."""

import sys

from eval.fidelity.pages import main

sys.exit(main())
