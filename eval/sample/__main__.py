"""Writes the sample folder: ``python -m eval.sample FOLDER``."""

from eval.sample.folder import main

if __name__ == "__main__":
    main()
