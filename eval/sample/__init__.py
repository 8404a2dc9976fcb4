"""A small folder to try things on."""
