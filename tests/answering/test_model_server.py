"""What a server is asked before a model is: every kind of server in its own words, wrong addresses, hostile answers."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from haystack_agent.answering.messages import Budget, budget_for
from haystack_agent.answering.model.choice import ModelChoice, chosen_model, open_model
from haystack_agent.answering.model.facts import Offered
from haystack_agent.answering.model.server import Heard, State, hear
from haystack_agent.answering.model.url import checked_url
from haystack_agent.errors import UsageError
from haystack_agent.settings import load_settings
from ingest.draw.drawing import EvidenceRenderer
from tests.commands.test_cli import Shell, clean
from tests.support.openai_server import Fail, Say, Scripted, serving
from ui.web.state import model_desk
from ui.web.state.model_desk import ModelDesk


def pages(server: Scripted, **answers: Any) -> None:
    """Let a server say something of itself: `v1_models` at ``/v1/models``."""
    server.pages |= {"/" + path.replace("_", "/"): answer for path, answer in answers.items()}


def heard(server: Scripted, name: str = "a", path: str = "/v1", **options: Any) -> Heard:
    return hear(ModelChoice(name, server.url.removesuffix("/v1") + path, **options))


OLLAMA = {
    "v1_models": {"data": [{"id": "a:latest", "owned_by": "library"}, {"id": "b:7b", "owned_by": "library"}]},
    "api_version": {"version": "0.12.3"},
    "api_show": {"capabilities": ["completion", "vision"], "parameters": "stop \"x\"", "model_info": {
        "llama.context_length": 131072}},
}  # fmt: skip
LM_STUDIO = {
    "v1_models": {"data": [{"id": "a", "owned_by": "organization_owner"}]},
    "api_v0_models": {"data": [{"id": "a", "type": "vlm", "max_context_length": 32768, "loaded_context_length": 4096,
        "capabilities": ["tool_use"]}]},
}  # fmt: skip
OTHERS = {
    "vllm": {"id": "a", "owned_by": "vllm", "max_model_len": 8192},
    "openrouter": {"id": "a", "context_length": 65536, "architecture": {"input_modalities": ["text", "image"]},
        "supported_parameters": ["tools", "seed"]},
    "mistral": {"id": "a", "max_context_length": 1024, "capabilities": {"vision": False, "function_calling": True}},
}  # fmt: skip


def test_ollama_says_what_a_model_can_and_how_much_it_was_given() -> None:
    with serving(Say(("x",))) as server:
        pages(server, **OLLAMA)
        found = heard(server)
        assert found.offered == Offered("a:latest", (), 4096, sees=True, uses_tools=False)
        pages(server, api_ps={"models": [{"name": "a:latest", "context_length": 16384}]})
        assert heard(server).profile == {"max_input_tokens": 16384, "image_inputs": True, "tool_calling": False}
        pages(server, api_ps={}, api_show={"capabilities": ["tools"], "parameters": "num_ctx    8192"})
        assert heard(server).profile == {"max_input_tokens": 8192, "image_inputs": False, "tool_calling": True}
        [remark] = heard(server, "nope").remarks
    assert "lists no model 'nope': it has a:latest, b:7b" in remark


def test_lm_studio_and_others_say_it_in_their_lists() -> None:
    with serving(Say(("x",))) as server:
        pages(server, **LM_STUDIO)
        assert heard(server).offered == Offered("a", (), 4096, sees=True, uses_tools=True)
        said = {}
        for name, entry in OTHERS.items():
            pages(server, v1_models={"data": [entry]})
            said[name] = heard(server).profile
    assert said == {
        "vllm": {"max_input_tokens": 8192},
        "openrouter": {"max_input_tokens": 65536, "image_inputs": True, "tool_calling": True},
        "mistral": {"max_input_tokens": 1024, "image_inputs": False, "tool_calling": True},
    }


@pytest.mark.parametrize(
    "page",
    [
        None,
        [],
        "text",
        {"data": "no list"},
        {"data": [None, 7, {}, {"id": 3}, {"id": "a", "meta": 7, "architecture": [], "aliases": {"x": 1}}]},
        {"data": [{"id": "a", "owned_by": "llamacpp", "max_model_len": -5, "context_length": True}]},
        {"data": [{"id": "x" * 9_000_000}]},
        (302, {"Location": "/elsewhere"}),
        (500, {}),
    ],
)
def test_a_server_that_says_nothing_or_nonsense_is_asked_all_the_same(page: Any) -> None:
    with serving(Say(("Hello.",))) as server:
        pages(server, v1_models=page)
        found = heard(server)
        assert found.choice.name == "a" and not found.profile
        assert open_model(found.choice, said=found.profile).invoke("x").text == "Hello."


def test_the_key_goes_to_the_server_that_was_named_and_nowhere_else() -> None:
    with serving(Say(("x",))) as other, serving(Fail(307, "gone")) as server:
        pages(server, v1_models=(307, {"Location": f"{other.url}/models"}))
        pages(other, v1_models={"data": [{"id": "a"}]})
        found = heard(server, api_key=SecretStr("s3cret"))
        assert {key for _, key in server.asked_for} == {"Bearer s3cret"}
        assert not other.asked_for and not found.offered and "s3cret" not in repr(found)


def test_a_request_is_not_sent_on_to_another_place(tmp_path: Path) -> None:
    with serving(Say(("x",))) as other:
        with serving(Fail(308, "moved", location=f"{other.url}/chat/completions")) as server:
            done = clean(Shell(tmp_path).run("models", "--model", "m", "--model-url", server.url), 3)
        assert not other.received
    assert "sends elsewhere" in done.stderr.decode()


def test_an_address_without_its_path_is_tried_with_it(tmp_path: Path) -> None:
    with serving(Say(("ready",))) as server:
        pages(server, v1_models={"data": [{"id": "m", "max_model_len": 4096}]})
        root = server.url.removesuffix("/v1")
        listed = clean(Shell(tmp_path).run("models", "--model-url", f"{root}/"), 0).stdout.decode()
        done = clean(Shell(tmp_path).run("models", "--model", "m", "--model-url", root), 1)
    assert listed == f"{server.url} has:\n  m   (4096 tokens)\n"
    assert f"not at {root} but at {server.url}" in done.stderr.decode() and "4096 tokens" in done.stdout.decode()


def test_a_wrong_name_is_told_with_the_right_ones(tmp_path: Path) -> None:
    with serving(Fail(404, 'model "m" not found, try pulling it first')) as server:
        pages(server, **OLLAMA)
        done = clean(Shell(tmp_path).run("models", "--model", "m", "--model-url", server.url), 3)
    assert "it has a:latest, b:7b" in done.stderr.decode() and "not known there" in done.stderr.decode()


@pytest.mark.parametrize(
    ("typed", "right"),
    [
        ("localhost:11434", "http://localhost:11434/v1"),
        ("127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1"),
        (":8080", "http://localhost:8080/v1"),
        ("8080", "http://localhost:8080/v1"),
        ("//127.0.0.1:1234", "http://127.0.0.1:1234/v1"),
        ("http:localhost:1234", "http://localhost:1234/v1"),
        ("htp://box:1/v1", "http://box:1/v1"),
        ("api.models.example/v1", "https://api.models.example/v1"),
        ("me:secret@box:8000", "http://box:8000/v1"),
        ("http://", "http://localhost:11434/v1"),
        ("http://h:99999", "http://localhost:11434/v1"),
        ("http://[::1/v1", "http://localhost:11434/v1"),
    ],
)
def test_an_address_that_is_not_whole_is_refused_with_the_right_one(
    typed: str, right: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAYSTACK_CONFIG_FILE", _empty(tmp_path))
    with pytest.raises(UsageError, match="--model-url is not accepted") as raised:
        chosen_model(load_settings(), "m", typed)
    assert str(raised.value).endswith(f" {right}.") and "secret" not in str(raised.value)
    monkeypatch.setenv("HAYSTACK_MODEL_URL", typed)
    with pytest.raises(UsageError, match="HAYSTACK_MODEL_URL is not accepted"):
        load_settings()


def _empty(folder: Path) -> str:
    (folder / "config.toml").touch()
    return str(folder / "config.toml")


@pytest.mark.parametrize(
    "typed", ["http://h:1/v1", "http://h:1/v1/", " HTTP://h:1/v1/chat/completions ", "http://h:1/v1#x"]
)
def test_what_people_paste_with_an_address_is_left_out(typed: str) -> None:
    assert checked_url(typed) == "http://h:1/v1"


def test_the_command_line_says_so_before_anything_is_sent(tmp_path: Path) -> None:
    for command in (("models",), ("ask", "--mode", "direct", "x"), ("chat",)):
        done = clean(Shell(tmp_path).run(*command, "--model", "m", "--model-url", "localhost:11434"), 2)
        assert "http://localhost:11434/v1" in done.stderr.decode() and "sent to" not in done.stderr.decode()


def test_https_to_a_plain_port_is_refused_with_the_right_address(tmp_path: Path) -> None:
    with serving(Say(("x",))) as server:
        wrong = server.url.replace("http:", "https:")
        done = clean(Shell(tmp_path).run("models", "--model", "m", "--model-url", wrong), 2)
    assert f"write --model-url {server.url}" in done.stderr.decode()


def test_http_to_a_port_of_https_is_refused_with_the_right_address(tmp_path: Path) -> None:
    with tls_port(tmp_path) as port:
        done = clean(Shell(tmp_path).run("models", "--model", "m", "--model-url", f"http://127.0.0.1:{port}/v1"), 2)
    assert f"write --model-url https://127.0.0.1:{port}/v1" in done.stderr.decode()


@contextmanager
def tls_port(folder: Path) -> Iterator[int]:
    """A port that answers over TLS only."""
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run([*made, "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    listening = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        while True:
            try:
                plain, _ = listening.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(plain, server_side=True) as connection:
                    connection.recv(65536)
                    connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            except OSError:
                plain.close()

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


def test_requests_to_this_machine_go_through_no_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Fail(500, "the proxy was asked")) as proxy, serving(Say(("ready",))) as server:
        address = proxy.url.removesuffix("/v1")
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "OPENAI_PROXY"):
            monkeypatch.setenv(name, address)
        done = clean(Shell(tmp_path).run("models", "--model", "m", "--model-url", server.url), 1)
        assert not proxy.received and not proxy.asked_for and server.received
    assert "m answers" in done.stdout.decode()


def test_what_a_server_says_fits_the_budget_and_the_user_knows_best() -> None:
    with serving(Say(("x",))) as server:
        pages(server, v1_models={"data": [OTHERS["vllm"]]})
        found = heard(server)
        small = budget_for(open_model(found.choice, said=found.profile))
        assert small.tokens <= 4096 and small != Budget()
        larger = heard(server, context=200_000)
        assert budget_for(open_model(larger.choice, said=larger.profile)) == Budget()


def test_a_server_that_is_still_loading_is_waited_for_with_a_word() -> None:
    lines: list[str] = []
    with serving(Say(("x",))) as server:
        pages(server, v1_models=(503, {"X": "Loading model"}))

        def tell(line: str) -> None:
            lines.append(line)
            pages(server, v1_models={"data": [{"id": "a"}]})

        found = hear(ModelChoice("a", server.url), tell)
    assert found.state is State.HEARD and len(lines) == 1 and "still loading" in lines[0]


def test_models_lists_what_there_is_and_says_where_there_is_nothing(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    with serving(Say(("x",))) as server:
        pages(server, **OLLAMA)
        out = clean(shell.run("models", "--model-url", server.url), 0).stdout.decode()
        server.pages.clear()
        silent = clean(shell.run("models", "--model-url", server.url), 0).stdout.decode()
    assert "  a:latest   (4096 tokens, sees, no tools)\n  b:7b" in out and "does not say which models" in silent
    assert "Nothing answers at" in clean(shell.run("models", "--model-url", server.url), 3).stderr.decode()
    assert "--model NAME" in clean(shell.run("models"), 2).stderr.decode()


def test_the_page_asks_anew_what_its_server_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAYSTACK_CONFIG_FILE", _empty(tmp_path))
    with pytest.raises(UsageError, match="http://localhost:1234/v1"):
        ModelDesk(load_settings(), "m", "localhost:1234", EvidenceRenderer())
    with serving(Say(("x",))) as server:
        desk = ModelDesk(load_settings(), "m", server.url, EvidenceRenderer())
        pages(server, v1_models=(503, {"X": "Loading model"}))
        assert not desk.readers().model.profile
        pages(server, v1_models={"data": [{"id": "other", "max_model_len": 4096, "owned_by": "llamacpp"}]})
        first = desk.readers()
        assert (first.model.profile or {})["max_input_tokens"] == 4096 and "other answers" in first.remarks[0]
        assert desk.readers() is first and first.name == desk.name == "m"
        monkeypatch.setattr(model_desk, "_FRESH", 0.0)
        assert desk.readers() is first
        pages(server, v1_models={"data": [{"id": "m", "max_model_len": 8192}]})
        assert (desk.readers().model.profile or {})["max_input_tokens"] == 8192 and not desk.readers().remarks


def test_a_hostile_name_of_a_model_draws_nothing(tmp_path: Path) -> None:
    with serving(Say(("x",))) as server:
        pages(server, v1_models={"data": [{"id": "evil\x1b[2J\nname\u202e"}]})
        out = clean(Shell(tmp_path).run("models", "--model-url", server.url), 0).stdout.decode()
    assert "\x1b" not in out and "\u202e" not in out and len(out.splitlines()) == 2
