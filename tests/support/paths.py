"""Where the checkout lies, and the data beside it that some tests read where it is there."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("HAYSTACK_SHARED") or ROOT.parent / "shared")
