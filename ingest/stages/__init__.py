"""The three stages of indexing: reading, encoding, writing."""
