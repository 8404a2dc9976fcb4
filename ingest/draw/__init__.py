"""Draws what evidence shows: a page, a photo, a frame; in a process of its own."""
