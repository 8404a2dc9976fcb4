"""Whether a worker is hung, told by its own clock: the times here are made up, the arithmetic is the program's."""

from __future__ import annotations

import pytest

from ingest.workers.patience import Vitals, WorkerPatience

TICK = 0.5


def after(patience: WorkerPatience, seconds: float, share: float, in_line: bool, before: float = 0.0) -> float:
    """Let time go by in which a worker gets a share of a processor; its processor time in the end."""
    cpu = before
    for _ in range(round(seconds / TICK)):
        cpu += share * TICK
        patience.spend(TICK, Vitals(cpu, in_line, 0))
    return cpu


@pytest.mark.parametrize(
    ("seconds", "share", "in_line", "hung"),
    [
        (29, 1.0, True, False),
        (31, 1.0, True, True),  # it works, and gets nowhere
        (300, 0.025, True, False),  # the lowest priority beside two busy threads
        (1100, 0.0, True, False),
        (1300, 0.0, True, True),  # nothing goes on for ever
        (110, 0.0, False, False),  # it waits for a disk
        (130, 0.0, False, True),  # or for a pipe that nobody writes to
    ],
)
def test_a_silent_worker(seconds: float, share: float, in_line: bool, hung: bool) -> None:
    patience = WorkerPatience()
    after(patience, seconds, share, in_line)
    assert (patience.silent_for(30) is not None) is hung
    if hung:
        assert patience.silent_for(30) == pytest.approx(seconds)


def test_a_sign_of_life_begins_it_anew_and_a_new_file_all_of_it() -> None:
    patience = WorkerPatience()
    cpu = after(patience, 25, 1.0, in_line=True)
    patience.heard()
    after(patience, 25, 1.0, in_line=True, before=cpu)
    assert patience.silent_for(30) is None
    assert patience.active == pytest.approx(50)
    patience.begin()
    assert patience.active == 0


def test_several_processors_at_once_are_no_more_than_the_time_that_went_by() -> None:
    patience = WorkerPatience()
    after(patience, 20, 4.0, in_line=True)
    assert patience.silent_for(30) is None


def test_time_in_line_is_no_time_of_the_file() -> None:
    patience = WorkerPatience()
    after(patience, 1000, 0.1, in_line=True)
    assert patience.active == pytest.approx(100)


def test_time_in_which_nobody_listened_does_not_count() -> None:
    patience = WorkerPatience()
    patience.spend(0.0, Vitals(500.0, True, 0))
    assert patience.silent_for(30) is None and patience.active == 0
