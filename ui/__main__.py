"""The program: ``haystack-agent``, or ``python -m ui``. Who stops it while it is being loaded is told so quietly."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit."""
    try:
        from ui.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("Stopped.\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
