"""The embedded store: Qdrant Edge."""
