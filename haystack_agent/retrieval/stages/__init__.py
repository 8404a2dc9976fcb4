"""Stages of ranking, from hits to the order in which places are shown."""
