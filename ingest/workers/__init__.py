"""Processes that read untrusted files within limits."""
