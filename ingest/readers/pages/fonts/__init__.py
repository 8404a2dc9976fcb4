"""Embedded fonts whose text says other letters than they draw."""
