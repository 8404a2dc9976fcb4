"""What holds for all tests."""

from __future__ import annotations

import os

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Coverage is measured in the processes that run tests, not in those that tests start and hold to limits."""
    hands_out_tests = config.getoption("numprocesses", None) and not hasattr(config, "workerinput")
    if not hands_out_tests:
        os.environ.pop("COVERAGE_PROCESS_CONFIG", None)
