"""Measurements: how good and how fast."""
