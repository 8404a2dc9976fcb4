"""Draws until its input ends: see `ingest.draw.worker`."""

from ingest.draw.worker import main

if __name__ == "__main__":
    main()
