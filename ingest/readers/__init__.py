"""Readers: one file to its pieces."""
