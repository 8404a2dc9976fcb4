"""A language model as judge of answers, in the manner of Document Haystacks: correct or incorrect, nothing between.

The prompt has a version; verdicts are kept in the run's folder under it, so that no answer is judged twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from haystack_agent.answering.checks.marks import Mark
from haystack_agent.answering.model.errors import told

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

VERSION = "2"
_PROMPT = """You judge answers to questions about files. You are given a question, the right answers, and an answer to \
be judged. The answer is correct if it says the same as one of the right answers: wording, language, units written out \
and additional true detail do not matter; another number, name, date or place, or no answer, is incorrect. Reply \
with one word, Correct or Incorrect."""


class LlmJudge:
    """Asks a model."""

    def __init__(self, model: BaseChatModel, name: str) -> None:
        self._model = model
        self._name = name

    def judge(self, question: str, accepted: Sequence[str], answer: str) -> bool | None:
        """Whether the answer is right; ``None`` where the judge says neither.

        Raises:
            ModelFailed: the model does not answer.
        """
        from langchain_core.messages import HumanMessage, SystemMessage

        # Taken from the contents: no answer can hold its own digest, and the same request stays the same.
        mark = Mark(key(question, accepted, answer)[:12])
        asked = [SystemMessage(f"{_PROMPT}\n{mark.rule}"), HumanMessage(_asked(question, accepted, answer, mark))]
        try:
            said = mark.taken_out(str(self._model.invoke(asked).text))
        except Exception as error:  # providers' libraries share no error; `told` sorts them
            raise told(error, self._name) from error
        word = said.strip().strip("*.\"' ").casefold()
        if word.startswith("incorrect"):
            return False
        return True if word.startswith("correct") else None


def key(question: str, accepted: Sequence[str], answer: str) -> str:
    """Of a verdict: changes with the prompt, the question and the answers."""
    plain = "\x1f".join((VERSION, question, *accepted, "", answer))
    return hashlib.blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _asked(question: str, accepted: Sequence[str], answer: str, mark: Mark) -> str:
    parts = (("The question", question), ("The right answers", "\n".join(accepted)), ("The answer to judge", answer))
    return "\n".join(f"{name}:\n{mark.around(text)}" for name, text in parts)
