"""Draws and writes the media of a haystack."""
