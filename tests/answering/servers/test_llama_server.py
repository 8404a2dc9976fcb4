"""A real llama.cpp server with a small real model behind everything that a user may do with one."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image

from haystack_agent.answering.direct import DirectReader
from haystack_agent.answering.effects import carried_out
from haystack_agent.answering.events import Done, Status, Token, ToolCalled
from haystack_agent.answering.langchain_agent import AgentReader
from haystack_agent.answering.messages import Budget
from haystack_agent.answering.model.choice import ModelChoice, open_model
from haystack_agent.answering.model.server import State, hear
from haystack_agent.asking import Request, Step, stream
from haystack_agent.engine import Engine
from haystack_agent.errors import ModelUnreachable
from haystack_agent.index_location import IndexLocation
from haystack_agent.records import Answer, AssetMeta, Evidence, Locator, Modality, Piece, PieceKind
from ingest.draw.drawing import EvidenceRenderer
from ingest.indexing import index
from ingest.pipeline import IndexOptions
from tests.commands.test_cli import Shell, clean
from tests.support.llamaserver import CONTEXT, Llama, running, starting
from tests.support.webserver import Client
from tests.support.webserver import running as page_running

CODE = "What is the code of the garden gate?"
NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def server() -> Iterator[Llama]:
    with running() as server:
        yield server


@pytest.fixture(scope="module")
def endless() -> Iterator[Llama]:
    """A model that does not stop by itself: what stops it can be seen."""
    with running(endless=True) as server:
        yield server


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A note and a photo, indexed as the default index."""
    base = tmp_path_factory.mktemp("llama")
    files = base / "files"
    files.mkdir()
    (files / "gate.txt").write_text("The code of the garden gate is 4711. Close it at night.\n", "utf-8")
    Image.effect_mandelbrot((320, 240), (-2, -1, 1, 1), 60).convert("RGB").save(files / "garden gate.jpg")
    index(IndexLocation(base / "data" / "indexes" / "default"), [files], IndexOptions(workers=1))
    return base


@pytest.fixture(scope="module")
def engine(base: Path) -> Iterator[Engine]:
    with Engine.open(IndexLocation(base / "data" / "indexes" / "default")) as engine:
        yield engine


def reader_of(server: Llama, *, asked_first: bool = True, budget: Budget | None = None) -> DirectReader:
    """As the program makes it; or without what the server says of its model."""
    heard = hear(ModelChoice("m", server.url))
    model = open_model(heard.choice, said=heard.profile if asked_first else None)
    return DirectReader(model, "m", EvidenceRenderer(), budget)


def answer_of(events: list[Step]) -> Answer:
    assert isinstance(events[-1], Done)
    return events[-1].answer


def statuses(events: list[Step]) -> str:
    return "\n".join(event.text for event in events if isinstance(event, Status))


def arguments(server: Llama, *command: str) -> tuple[str, ...]:
    return (*command, "--model", "m", "--model-url", server.url)


def test_the_server_says_what_it_has(server: Llama) -> None:
    heard = hear(ModelChoice("gpt-9", server.url))
    assert heard.profile == {"max_input_tokens": CONTEXT, "image_inputs": False, "tool_calling": False}
    assert heard.choice.name == NAME and "no model 'gpt-9'" in heard.remarks[0]
    assert not hear(ModelChoice(NAME, server.url)).remarks
    assert not hear(ModelChoice(NAME.removesuffix(".gguf").lower(), server.url)).remarks


def test_models_says_what_is_true(server: Llama, tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    listed = clean(shell.run("models", "--model-url", server.url.removesuffix("/v1")), 0).stdout.decode()
    assert f"{NAME}   ({CONTEXT} tokens, text alone, no tools)" in listed
    done = clean(shell.run(*arguments(server, "models")), 1)
    out = done.stdout.decode()
    assert f"{NAME} answers, whatever the name" in done.stderr.decode() and f"{NAME} answers, after" in out
    assert f"It reads {CONTEXT} tokens at once." in out and "It uses no tools" in out
    assert "does not take pictures (image input is not supported" in out and "busy" not in out


def test_the_evidence_fits_at_the_first_try(server: Llama, engine: Engine) -> None:
    events = list(stream(engine, Request(CODE), reader_of(server)))
    answer = answer_of(events)
    assert answer.text and any(isinstance(event, Token) for event in events)
    assert "too long" not in statuses(events) and "pictures" not in statuses(events)


def test_pictures_that_a_model_does_not_take_are_left_out(server: Llama, engine: Engine) -> None:
    events = list(
        stream(engine, Request(CODE), reader_of(server, asked_first=False, budget=Budget(2, 300, (64, 64), 1)))
    )
    assert "does not take pictures" in statuses(events) and "again" not in statuses(events)
    assert "it was given the text alone" in answer_of(events).notes[0]


def test_what_is_longer_than_the_context_is_asked_with_less(server: Llama) -> None:
    places = [long_place(str(number)) for number in range(4)]
    reader = reader_of(server, budget=Budget(4, 3000, ()))
    events: list[Step] = list(carried_out(reader.steps("What did the gardener say?", places)))
    assert statuses(events).count("too long for the model") == 1 and answer_of(events).text
    assert any("the best 2 places were sent" in note for note in answer_of(events).notes)


def long_place(asset: str) -> Evidence:
    piece = Piece(asset, PieceKind.PASSAGE, Modality.DOCUMENT, 0, Locator(), "word " * 800, AssetMeta("txt"))
    return Evidence(piece, (f"/files/{asset}.txt",), 1.0)


def test_words_are_shown_while_the_model_writes_and_closing_ends_it(endless: Llama, engine: Engine) -> None:
    events = stream(engine, Request(CODE), reader_of(endless))
    words = [event for event in events_until_words(events) if isinstance(event, Token)]
    assert words and endless.busy() == 1
    events.close()
    assert endless.wait_until_idle()


def events_until_words(events: Iterator[Step]) -> Iterator[Step]:
    for event in events:
        yield event
        if isinstance(event, Token):
            return


def test_an_agent_whose_model_knows_no_tools_answers_from_what_is_found(server: Llama, engine: Engine) -> None:
    heard = hear(ModelChoice("m", server.url))
    for said in (heard.profile, None):  # told by the server, and found out: it drops the tools and says nothing
        model = open_model(heard.choice, said=said)
        events = list(stream(engine, Request(CODE), AgentReader(model, "m", EvidenceRenderer())))
        assert "does not use tools" in statuses(events)
        assert [event.name for event in events if isinstance(event, ToolCalled)] == ["search"]
        assert answer_of(events).evidence and "gate.txt" in answer_of(events).evidence[0].paths[0]


def test_two_at_once(endless: Llama, engine: Engine) -> None:
    """Each gets its own words; neither waits for the other."""
    together = threading.Barrier(2, timeout=120)
    evidence = engine.search(CODE, top_k=1)
    failures: list[BaseException] = []

    def ask() -> None:
        events: Generator[Step, None, None] = carried_out(reader_of(endless).steps(CODE, evidence))
        try:
            list(events_until_words(events))
            together.wait()
        except BaseException as error:  # noqa: BLE001 - reported by the test
            failures.append(error)
        finally:
            events.close()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures and endless.wait_until_idle()


def test_ctrl_c_ends_what_the_server_does(endless: Llama, base: Path, engine: Engine) -> None:
    engine.close()
    with asking(base, endless) as process:
        assert process.stdout is not None and process.stdout.read(1)
        assert endless.busy() == 1
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 130 and told.endswith(b"Stopped.\n")
    assert endless.wait_until_idle()


def asking(base: Path, server: Llama) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "ui.cli", *arguments(server, "ask", "--mode", "direct"), CODE]
    return subprocess.Popen(
        command, env=Shell(base).environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
    )


def test_stopping_in_the_page_ends_what_the_server_does(endless: Llama, base: Path, engine: Engine) -> None:
    engine.close()
    with page_running(base, "--model", "m", "--model-url", endless.url) as address:
        client = Client(address)
        client.get("/")
        told = told_as_it_comes(client, {"text": CODE, "mode": "direct", "index": "default"})
        conversation = next(one["conversation"] for one in told if one["kind"] == "begin")
        remarks = [one["text"] for one in told_until(told, "token") if one["kind"] == "status"]
        assert any(f"{NAME} answers, whatever the name" in remark for remark in remarks)
        assert endless.busy() == 1
        client.post(f"/api/conversations/{conversation}/stop")
        [stopped] = [one for one in told if one["kind"] == "stopped"]
        assert stopped["answer"]["notes"] and endless.wait_until_idle()


def told_as_it_comes(client: Client, question: dict[str, str]) -> Iterator[dict[str, Any]]:
    """What the page is told, one by one."""
    place = urlsplit(client.address)
    connection = HTTPConnection(place.hostname or "", place.port, timeout=120)
    with closing(connection):
        path = f"/gradio/gradio_api/call/ask/{client.begin(question)}"
        connection.request("GET", path, headers={"Cookie": client.cookie, "Sec-Fetch-Site": "same-origin"})
        for line in connection.getresponse():
            if line.startswith(b"data: [{"):
                yield json.loads(line.removeprefix(b"data: "))[0]


def told_until(told: Iterator[dict[str, Any]], kind: str) -> Iterator[dict[str, Any]]:
    for one in told:
        yield one
        if one["kind"] == kind:
            return


def test_a_conversation_longer_than_the_context_goes_on(server: Llama, base: Path, engine: Engine) -> None:
    engine.close()
    lines = f"{CODE}\nAnd the roses?\n".encode()
    done = clean(Shell(base).run(*arguments(server, "chat", "--top-k", "1"), stdin=lines), 0)
    assert done.stderr.decode().count("haystack-agent:") == 0 and done.stdout.strip()


def test_a_server_that_dies_in_the_middle_is_told_of_and_what_it_wrote_is_kept(base: Path, engine: Engine) -> None:
    engine.close()
    with running(endless=True) as server, asking(base, server) as process:
        assert process.stdout is not None
        first = process.stdout.read(1)
        server.kill()
        out, err = process.communicate(timeout=120)
    assert process.returncode == 3 and first + out and out.endswith(b"\n")
    told = err.decode().splitlines()[-1]
    assert told.startswith("haystack-agent: ") and "in the middle of its answer" in told and "closed" in told


def test_a_server_that_is_gone_is_told_of(base: Path) -> None:
    with running() as server:
        reader = reader_of(server)
        server.kill()
        with pytest.raises(ModelUnreachable, match="server running"):
            list(carried_out(reader.steps(CODE, evidence_of(base))))


def evidence_of(base: Path) -> list[Evidence]:
    with Engine.open(IndexLocation(base / "data" / "indexes" / "default")) as engine:
        return engine.search(CODE, top_k=1)


def test_a_server_that_loads_its_model_is_waited_for() -> None:
    lines: list[str] = []
    with starting() as server:
        heard = hear(ModelChoice("m", server.url), lines.append)
        assert heard.state is State.HEARD and heard.offered is not None
    assert all("still loading" in line for line in lines) and len(lines) <= 1


def test_https_to_it_is_refused_with_the_right_address(server: Llama, tmp_path: Path) -> None:
    wrong = server.url.replace("http:", "https:")
    done = clean(Shell(tmp_path).run("models", "--model", "m", "--model-url", wrong), 2)
    assert f"write --model-url {server.url}" in done.stderr.decode()
