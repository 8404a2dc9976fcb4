"""A chat model of LangChain over a multimodal model of transformers on this machine."""

from __future__ import annotations

import base64
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import PrivateAttr

from haystack_agent.encoders.devices import encodable, pick_device, refuse_pickles
from haystack_agent.encoders.hub import Hub
from haystack_agent.errors import ModelUnavailable

WRITER = "haystack-agent-writer"
"""Name of the thread that computes an answer."""
_PATTERNS = ("*.json", "*.safetensors", "*.jinja", "*.txt", "*.model")
_ROLES = {SystemMessage: "system", HumanMessage: "user", AIMessage: "assistant"}


class LocalVlm(BaseChatModel):
    """A model that takes text and pictures and writes text; make one with `load`. It does not use tools."""

    name_of_model: str
    most_tokens: int = 512
    """Of an answer."""
    _network: Any = PrivateAttr()
    _processor: Any = PrivateAttr()
    _lock: threading.Lock = PrivateAttr(default_factory=threading.Lock)

    @classmethod
    def load(cls, name: str, hub: Hub, device: str | None = None) -> LocalVlm:
        """Load a model from a folder or, as ``owner/name``, from the hub; safetensors only, no code of its own.

        Raises:
            ModelUnavailable: it is missing, damaged, of no kind that transformers knows, or would run code.
            UsageError: there is no such device.
        """
        from transformers import AutoModelForImageTextToText, AutoProcessor

        folder = Path(name).expanduser()
        if not folder.is_dir():
            folder = hub.fetch(name, _PATTERNS).folder
        refuse_pickles(folder, name)
        chosen = pick_device(device)
        options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        try:
            processor: Any = AutoProcessor.from_pretrained(folder, **options)  # type: ignore[no-untyped-call]
            network: Any = AutoModelForImageTextToText.from_pretrained(
                folder, use_safetensors=True, dtype="auto", **options
            )
        except Exception as error:  # the library raises whatever its many parts do
            raise ModelUnavailable(
                f"{name} cannot be loaded ({type(error).__name__}: {error}): it must be a model that transformers "
                "knows as image-text-to-text, whole, with safetensors."
            ) from error
        model = cls(name_of_model=name)
        model._network, model._processor = network.to(chosen).eval(), processor
        if model._most is not None:
            model.profile = {"max_input_tokens": model._most, "image_inputs": True}
        return model

    @property
    def _llm_type(self) -> str:
        return "haystack-agent-local"

    @property
    def _most(self) -> int | None:
        """Tokens of a request and its answer."""
        most: int | None = getattr(self._network.config.get_text_config(), "max_position_embeddings", None)
        return most

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, run_manager, **kwargs))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **_: Any,
    ) -> Iterator[ChatGenerationChunk]:
        inputs = self._inputs(messages)
        with self._lock:  # one answer at a time: the network is shared
            written = _Writer(self._network, self._processor, inputs, self.most_tokens).run()
            with closing(written):
                for text in _until(written, stop or ()):
                    chunk = ChatGenerationChunk(message=AIMessageChunk(content=text))
                    if run_manager:
                        run_manager.on_llm_new_token(text, chunk=chunk)
                    yield chunk
        yield ChatGenerationChunk(message=AIMessageChunk(content="", chunk_position="last"))

    def _inputs(self, messages: Sequence[BaseMessage]) -> Any:
        """Token numbers and pixels.

        Raises:
            ValueError: more than the model can read.
        """
        made = self._processor.apply_chat_template(
            [self._message(message) for message in messages],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
        )
        most = self._most
        length = made["input_ids"].shape[1]
        if most is not None and length + self.most_tokens > most:
            raise ValueError(f"the context length is {most} tokens, the request has {length}")
        return made.to(self._network.device, self._network.dtype)

    def _message(self, message: BaseMessage) -> dict[str, Any]:
        role = next((role for kind, role in _ROLES.items() if isinstance(message, kind)), None)
        if role is None:
            raise NotImplementedError(f"{type(message).__name__} is not supported: no tools here")
        return {"role": role, "content": [self._part(block) for block in message.content_blocks]}

    def _part(self, block: Any) -> dict[str, Any]:
        from PIL import Image

        if block["type"] == "image":
            # A picture, never a name or an address: processors would open those.
            return {"type": "image", "image": Image.open(BytesIO(base64.b64decode(block["base64"]))).convert("RGB")}
        return {"type": "text", "text": self._plain(str(block.get("text", "")))}

    def _plain(self, text: str) -> str:
        """The text without the marks by which a model knows pictures and roles: no file may write them."""
        tokenizer = self._processor.tokenizer
        for token in sorted({*tokenizer.all_special_tokens, *tokenizer.added_tokens_encoder}, key=len, reverse=True):
            text = text.replace(token, f"{token[0]} {token[1:]}")
        return encodable(text)


class _Writer:
    """One answer in the making, computed in a thread of its own and given up when nobody listens."""

    def __init__(self, network: Any, processor: Any, inputs: Any, most_tokens: int) -> None:
        from transformers import StoppingCriteria, TextIteratorStreamer

        given_up = self._given_up = threading.Event()
        self._error: list[BaseException] = []

        class GivenUp(StoppingCriteria):
            def __call__(self, input_ids: Any, *_: Any, **__: Any) -> Any:
                import torch

                return torch.full((len(input_ids),), given_up.is_set(), device=input_ids.device)

        self._text = TextIteratorStreamer(processor.tokenizer, skip_prompt=True, skip_special_tokens=True)
        options = {"max_new_tokens": most_tokens, "do_sample": False, "stopping_criteria": [GivenUp()]}
        self._thread = threading.Thread(
            target=self._write,
            args=(network, {**inputs, **options, "streamer": self._text}),
            name=WRITER,
            daemon=True,
        )

    def run(self) -> Generator[str, None, None]:
        """The text, piece by piece."""
        self._thread.start()
        try:
            yield from (text for text in self._text if text)
        finally:
            self._given_up.set()
            self._thread.join()
        if self._error:
            raise self._error[0]

    def _write(self, network: Any, arguments: dict[str, Any]) -> None:
        try:
            network.generate(**arguments)
        except BaseException as error:  # noqa: BLE001 - raised again by whoever listens
            self._error.append(error)
        finally:
            self._text.end()  # type: ignore[no-untyped-call]


def _until(pieces: Iterator[str], stop: Sequence[str]) -> Iterator[str]:
    """The text up to the first of the stop words, held back while it may be the beginning of one."""
    held = ""
    for piece in pieces:
        held += piece
        places = [place for word in stop if (place := held.find(word)) >= 0]
        if places:
            yield held[: min(places)]
            return
        keep = max((size for word in stop for size in range(1, len(word)) if held.endswith(word[:size])), default=0)
        ready, held = held[: len(held) - keep], held[len(held) - keep :]
        if ready:
            yield ready
    if held:
        yield held
