"""Data sets: each a pool of files and questions about them."""
