"""What holds for all tests."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Coverage is measured in the processes that run tests, not in those that tests start and hold to limits."""
    hands_out_tests = config.getoption("numprocesses", None) and not hasattr(config, "workerinput")
    if not hands_out_tests:
        os.environ.pop("COVERAGE_PROCESS_CONFIG", None)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C reaches this process and those that it starts: what a shell runs in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def held() -> Iterator[threading.Event]:
    """What an answer that has begun waits for; at the latest the end of the test."""
    event = threading.Event()
    yield event
    event.set()
