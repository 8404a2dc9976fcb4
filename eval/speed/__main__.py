"""Measures indexing and search: ``python -m eval.speed FOLDER``."""

from eval.speed.jobs import main

if __name__ == "__main__":
    main()
