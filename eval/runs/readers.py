"""What turns evidence into an answer in a run: the extractive reader, or a language model in the direct mode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from haystack_agent.answering.direct import DirectReader
from haystack_agent.answering.effects import carried_out
from haystack_agent.answering.extractive.reader import NO_ANSWER
from haystack_agent.answering.messages import DECLINED
from haystack_agent.answering.model.errors import told
from haystack_agent.answering.model.retries import Patience
from haystack_agent.asking import Found, answer_of
from haystack_agent.engine import Engine
from haystack_agent.records import Answer

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from haystack_agent.answering.pictures import Renderer

_CLOSED_BOOK = (
    "Answer the question shortly from what you know, in its language. If you do not know, write "
    f"{DECLINED} and nothing else."
)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer and the tokens it took, as far as the model's server counts them."""

    answer: Answer
    tokens_in: int = 0
    tokens_out: int = 0


class AnswerReader(Protocol):
    """Answers a question from evidence."""

    @property
    def parallel(self) -> bool:
        """Whether several questions may be answered at a time."""
        ...

    def answer(self, question: str, found: Found | None) -> Reply:
        """The answer from the best places found, or without any where that is ``None``.

        Raises:
            ModelFailed: the model did not answer.
        """
        ...


class ExtractiveAnswers:
    """Quotations; nothing without evidence."""

    parallel = False

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def answer(self, question: str, found: Found | None) -> Reply:
        """See `Reader.answer`."""
        return Reply(self._engine.read(found) if found else Answer(question, NO_ANSWER, abstained=True))


class ModelAnswers:
    """One call of a language model a question."""

    parallel = True

    def __init__(
        self, model: BaseChatModel, name: str, renderer: Renderer, patience: Patience = Patience(tries=5)
    ) -> None:
        self._model = model
        self._name = name
        self._direct = DirectReader(model, name, renderer, patience=patience)

    def answer(self, question: str, found: Found | None) -> Reply:
        """See `Reader.answer`."""
        from langchain_core.callbacks import get_usage_metadata_callback

        with get_usage_metadata_callback() as usage:
            answer = self._closed_book(question) if found is None else self._from(question, found)
        counts = usage.usage_metadata.values()
        return Reply(answer, sum(one["input_tokens"] for one in counts), sum(one["output_tokens"] for one in counts))

    def _from(self, question: str, found: Found) -> Answer:
        return answer_of(carried_out(self._direct.steps(question, found.best)))

    def _closed_book(self, question: str) -> Answer:
        from langchain_core.messages import HumanMessage, SystemMessage

        try:
            said = str(self._model.invoke([SystemMessage(_CLOSED_BOOK), HumanMessage(question)]).text).strip()
        except Exception as error:  # providers' libraries share no error; `told` sorts them
            raise told(error, self._name) from error
        return Answer(question, said, said.startswith(DECLINED) or not said)
