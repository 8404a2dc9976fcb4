"""A conversation in the terminal: follow-up questions, failures that do not end it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from haystack_agent.engine import Engine
from tests.answering.test_direct import TYRE, base, engine
from tests.commands.test_cli import Done, Shell, clean
from tests.support.openai_server import Fail, Say, serving

__all__ = ["base", "engine"]


def chat(base: Path, url: str, *questions: str, mode: str = "direct") -> Done:
    lines = "".join(f"{question}\n" for question in questions).encode()
    return Shell(base).run("chat", "--mode", mode, "--model", "m", "--model-url", url, stdin=lines)


def test_a_follow_up_is_searched_for_with_what_it_refers_to(base: Path, engine: Engine) -> None:
    engine.close()
    script = (
        Say(("{}",)),
        Say(("4.5 bar [1].",)),
        Say(('{"question": "Which lever do I use for the tyre?\u202e"}',)),
        Say(("Two plastic ones [1].",)),
    )
    with serving(*script) as server:
        done = clean(chat(base, server.url, TYRE, "And which lever?"), 0)
    assert "4.5 bar [1]." in done.stdout.decode() and "Two plastic ones [1]." in done.stdout.decode()
    assert "Understood as: Which lever do I use for the tyre?" in done.stderr.decode()
    rewriting, answering = server.received[2:]
    assert TYRE in str(rewriting) and "4.5 bar" in str(rewriting) and "And which lever?" in str(rewriting)
    assert server.texts().endswith("The question: Which lever do I use for the tyre?")
    assert answering["stream"]


def test_a_failure_loses_one_question_and_the_rest_goes_on(base: Path) -> None:
    with serving(Fail(400, "strange"), Say(("{}",)), Say(("4.5 bar [1].",))) as server:
        done = clean(chat(base, server.url, "What is this?", TYRE), 0)
    assert "strange" in done.stderr.decode() and "4.5 bar [1]." in done.stdout.decode()
    assert "A language model" not in done.stdout.decode()


def test_an_empty_line_ends_it_and_a_model_is_needed(base: Path) -> None:
    with serving(Say(("x",))) as server:
        clean(chat(base, server.url, "", TYRE), 0)
        assert not server.received
        assert "direct or agent" in clean(chat(base, server.url, TYRE, mode="extractive"), 2).stderr.decode()


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_stops_an_answer_at_once(base: Path) -> None:
    """The first words are on the screen, the model is still writing: it is hung up on and the command is gone."""
    with serving(Say(("The first words. ", "never", " seen"), pause=30)) as server:
        command = [sys.executable, "-m", "ui.cli", "ask", "--mode", "direct", "--model", "m"]
        command += ["--model-url", server.url, TYRE]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(command, env=Shell(base).environment(), **pipes) as process:  # type: ignore[call-overload]
            assert process.stdout.read(len("  The first words.")) == b"  The first words."
            pressed = time.monotonic()
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
        assert process.returncode == 130 and time.monotonic() - pressed < 15
        assert err.endswith(b"Stopped.\n") and b"Traceback" not in err and b"never" not in out
