"""Choosing, opening and checking language models."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from pydantic import SecretStr

from haystack_agent.answering.model.choice import ModelChoice, chosen_model, open_model
from haystack_agent.errors import UsageError
from haystack_agent.settings import load_settings
from ingest.ocr.recognition import OcrEngine
from tests.commands.test_cli import Shell, clean
from tests.support.openai_server import Fail, Read, Say, serving


def read_aloud(image: Image.Image) -> str:
    """What is written in a picture, by OCR: a model that sees."""
    return " ".join(line.text for line in OcrEngine().read(image.convert("RGB")))


def test_a_model_that_sees_is_told_from_one_that_does_not(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    with serving(Say(("ready",)), Read(read_aloud)) as server:
        done = clean(shell.run("models", "--model", "m", "--model-url", server.url), 0)
    assert "answers" in done.stdout.decode() and "It sees" in done.stdout.decode()
    with serving(Say(("ready",)), Say(("I see a 7\x1b[2J",))) as server:
        done = clean(shell.run("models", "--model", "m", "--model-url", server.url), 1)
    assert "does not see" in done.stdout.decode() and "\x1b" not in done.stdout.decode()
    with serving(Say(("ready",)), Fail(400, "image_url is not supported")) as server:
        assert (
            "does not take pictures"
            in clean(shell.run("models", "--model", "m", "--model-url", server.url), 1).stdout.decode()
        )
    with serving(Fail(401)) as server:
        assert "key" in clean(shell.run("models", "--model", "m", "--model-url", server.url), 3).stderr.decode()


@pytest.mark.parametrize(
    ("url", "destination"),
    [
        ("http://localhost:11434/v1", None),
        ("http://127.0.0.1:8000/v1", None),
        ("http://[::1]:8000/v1", None),
        ("https://models.example/v1", "models.example"),
        ("http://192.168.1.7:8000/v1", "192.168.1.7"),
        ("http://localhost.example/v1", "localhost.example"),
    ],
)
def test_who_gets_what_is_sent(url: str, destination: str | None) -> None:
    assert ModelChoice("m", url).destination == destination


def test_models_by_provider() -> None:
    assert ModelChoice("openai:gpt-x").destination == "openai"
    assert ModelChoice("ollama:llava").destination is None
    model = open_model(ModelChoice("openai:gpt-x", api_key=SecretStr("k")))
    assert type(model).__name__ == "ChatOpenAI"
    with pytest.raises(UsageError, match="provider:model"):
        open_model(ModelChoice("nobody:gpt-x"))
    with pytest.raises(UsageError, match="not installed"):
        open_model(ModelChoice("anthropic:claude"))


def test_a_remote_destination_is_told_once(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    # A name that no resolver knows: nothing is reached, but the line must come first.
    arguments = ("models", "--model", "m", "--model-url", "http://model.invalid/v1")
    first, second = (clean(shell.run(*arguments), 3).stderr.decode() for _ in range(2))
    assert "are sent to model.invalid" in first and "sent to" not in second
    assert "cannot be reached" in first and "cannot be reached" in second


def test_the_model_of_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "config.toml"
    config.write_text('model = "qwen"\nmodel_url = "http://localhost:11434/v1/"\n', "utf-8")
    monkeypatch.setenv("HAYSTACK_CONFIG_FILE", str(config))
    monkeypatch.setenv("HAYSTACK_MODEL_API_KEY", "s3cret")
    choice = chosen_model(load_settings())
    assert (choice.name, choice.url) == ("qwen", "http://localhost:11434/v1") and "s3cret" not in repr(choice)
    assert chosen_model(load_settings(), "other").name == "other"
    assert chosen_model(load_settings(), "qwen3:8b").url
    assert chosen_model(load_settings(), "local:/models/qwen").url is None
    assert chosen_model(load_settings(), "openai:gpt-4o").url is None
    config.write_text("", "utf-8")
    with pytest.raises(UsageError, match="--model NAME"):
        chosen_model(load_settings())
