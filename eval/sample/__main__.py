"""Writes the sample folder: ``python -m eval.sample FOLDER``."""

from eval.sample.folder import main

main()
