"""Servers, models, files and browsers that tests use."""
