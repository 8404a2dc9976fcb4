"""Channels: a vector each, how a question is encoded for it, and what a hit of it is worth."""
