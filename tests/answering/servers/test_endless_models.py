"""A server that writes, or calls tools, without end: it is ended, and what it wrote is kept."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import pytest
from langchain.agents.middleware import ModelResponse
from langchain_core.messages import AIMessage

from haystack_agent.answering.direct import DirectReader
from haystack_agent.answering.effects import carried_out
from haystack_agent.answering.events import Done, Status, Token
from haystack_agent.answering.langchain_agent import AgentLimits, AgentReader, _Turns
from haystack_agent.answering.model.choice import ModelChoice, open_model
from haystack_agent.answering.model.retries import Patience
from haystack_agent.answering.model.server import State, ask_server
from haystack_agent.answering.pictures import Picture, PictureWanted
from haystack_agent.answering.sources import Sources
from haystack_agent.errors import ModelFailed
from haystack_agent.records import Answer, Evidence, Filters
from tests.answering.test_marks import carrying
from tests.support.openai_server import Call, Say, Scripted, serving
from ui.terminal.model_answers import show

ENDLESS = Say(("It is that [1]. ", *["more and more "] * 200_000))
CUT = "The answer was cut off: it was longer than 40,000 characters, or took more than half an hour."


class NoPictures:
    """A renderer where nothing can be drawn."""

    def render(self, wanted: Sequence[PictureWanted]) -> list[tuple[Picture, ...]]:
        return [()] * len(wanted)


def asked(server: Scripted) -> Answer:
    reader = DirectReader(open_model(ModelChoice("m", server.url)), "m", NoPictures(), patience=Patience(3, 0.01))
    *_, last = carried_out(reader.steps("What is it?", [carrying("text", "A barge.")]))
    assert isinstance(last, Done)
    return last.answer


def cut_off(answer: Answer, server: Scripted) -> bool:
    deadline = time.monotonic() + 60
    while not server.hung_up and time.monotonic() < deadline:
        time.sleep(0.05)
    kept = answer.text.startswith("It is that [1]. more") and len(answer.text) < 41_000
    return kept and answer.notes == (CUT,) and bool(answer.citations) and server.hung_up == [True]


def test_an_answer_without_end_is_ended() -> None:
    with serving(ENDLESS) as server:
        assert cut_off(asked(server), server)


def test_blanks_without_end_are_no_answer() -> None:
    with serving(Say((" " * 50,) * 200_000)) as server, pytest.raises(ModelFailed, match="more at once than is read"):
        asked(server)


class OnePlace:
    """Sources with one place in them."""

    def search(self, *_: Any) -> list[Evidence]:
        return [carrying("text", "A barge.")]


def test_the_agent_ends_one_too() -> None:
    with serving(Call("search", {"query": "barge"}), ENDLESS) as server:
        agent = AgentReader(open_model(ModelChoice("m", server.url)), "m", NoPictures())
        sources = Sources(None, OnePlace().search, Filters())  # type: ignore[arg-type]
        *_, last = carried_out(agent.steps("What is it?", sources))
        assert isinstance(last, Done)
        assert cut_off(last.answer, server)


def test_only_the_first_tools_that_one_message_calls_are_run() -> None:
    calls = [
        {"name": "search", "args": {"query": "x"}, "id": str(number), "type": "tool_call"} for number in range(850)
    ]
    turns = _Turns("m", AgentLimits(), Patience(), [])
    request: Any = _Request()
    response = turns.wrap_model_call(request, lambda _: ModelResponse([AIMessage("", tool_calls=calls)]))
    [message] = response.result
    assert isinstance(message, AIMessage) and [one["id"] for one in message.tool_calls] == [*map(str, range(8))]


class _Request:
    """A turn that is not the last."""


def test_a_list_of_models_without_end_is_no_silence() -> None:
    with serving(Say(("x",))) as server:
        server.pages["/v1/models"] = {"data": ["x" * 9_000_000]}
        assert ask_server(server.url, ModelChoice("", server.url)).state is State.STRANGE


def test_what_was_told_while_it_was_asked_is_not_told_again(capsys: pytest.CaptureFixture[str]) -> None:
    blind = "The model does not take pictures: it was given the text alone."
    show(iter([Status(blind), Token("It is."), Done(Answer("What?", "It is.", False, notes=(blind, "Another.")))]))
    said = capsys.readouterr()
    assert (said.out + said.err).count(blind) == 1 and "Another." in said.out


def test_an_answer_that_drips_is_ended_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("haystack_agent.answering.model.langchain_length.LONGEST_SECONDS", 1.0)
    with serving(Say(("It is ", "a barge [1]. ", *[" "] * 40), pause=0.2)) as server:
        answer = asked(server)
    assert answer.text == "It is a barge [1]." and CUT in answer.notes
