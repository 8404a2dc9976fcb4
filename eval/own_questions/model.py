"""Questions by a language model: first it says what matters in a passage, then it asks what the passage answers.

The two steps in one reply are the summarise-then-ask prompting of SWIM-IR (Thakur et al., "Leveraging LLMs for
Synthesizing Training Data Across Many Languages in Multilingual Dense Retrieval", 2023), which made better questions
than asking at once. The passage is data between marks that it cannot know.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from eval.fidelity.scores import tokens
from eval.own_questions.check import Drop, contains, readable
from eval.own_questions.rules import Draft, QuestionKind
from haystack_agent.answering.checks.marks import Mark
from haystack_agent.answering.messages import described
from haystack_agent.answering.model.errors import told
from haystack_agent.records import Evidence, PieceKind
from haystack_agent.store.values import IndexedPiece
from haystack_agent.text.language import detect_language
from haystack_agent.text.visible import one_line

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage

_CHARACTERS = 4000
_LEAST = 80
_LONGEST_QUESTION, _LONGEST_ANSWER = 300, 150
_ASKED = frozenset({PieceKind.PASSAGE, PieceKind.IMAGE, PieceKind.SEGMENT})
_RULES = """You write questions to test a search engine over a person's own files. Below is one passage of one file. \
Reply with one JSON object and nothing else, its parts in this order:
"summary": in one or two sentences, in the passage's language, what matters in it;
"terms": three to six words of the passage that tell it from others (names, things, places), exactly as they stand \
there;
"question": one question in {language} that the passage answers and that its owner might ask who has not seen it for \
a year. It names what it is about; it does not say "the passage", "this text" or "the document", and does not give \
the answer away;
"answer": the answer, as short as it can be, in words that stand in the passage exactly so;
"accepted": other right ways to write the answer, or [].
If nothing in the passage is worth asking, "question" is "".
{rule}"""


class _Reply(BaseModel):
    """What the model replies; what else it says is ignored."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    summary: str = ""
    terms: list[str] = Field(default_factory=list)
    question: str = ""
    answer: str = ""
    accepted: list[str] = Field(default_factory=list)

    @field_validator("terms", "accepted", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        """Small models write one string, or null."""
        return [value] if isinstance(value, str) else value or []

    @field_validator("summary", "question", "answer", mode="before")
    @classmethod
    def _there(cls, value: object) -> object:
        return "" if value is None else value


@dataclass(frozen=True, slots=True)
class Writer:
    """A language model that writes questions; `name` is what messages about it say."""

    model: BaseChatModel
    name: str
    languages: tuple[str, ...] = ()
    """Names of the languages to ask in, such as ``German``, drawn for each passage; empty: the passage's own."""

    def can_ask(self, one: IndexedPiece) -> bool:
        """Whether a piece has enough text."""
        return one.piece.kind in _ASKED and len(one.piece.text.strip()) >= _LEAST

    def write(self, one: IndexedPiece, seed: int) -> Draft | Drop:
        """A question that a piece answers, or why there is none.

        Raises:
            ModelFailed: the model does not answer.
        """
        mark = Mark.drawn()
        try:
            said = self.model.invoke(self._messages(one, seed, mark))
        except Exception as error:  # providers' libraries share no error; `told` sorts them
            raise told(error, self.name) from error
        return _draft(one, mark.taken_out(str(said.text)))

    def _messages(self, one: IndexedPiece, seed: int, mark: Mark) -> list[BaseMessage]:
        from langchain_core.messages import HumanMessage, SystemMessage

        drawn = random.Random(f"{seed}/{one.piece.id}")  # noqa: S311 - a sample, not a secret
        language = drawn.choice(self.languages) if self.languages else "the language of the passage"
        passage = described(1, Evidence(one.piece, one.paths, 0.0), mark, _CHARACTERS)
        return [SystemMessage(_RULES.format(language=language, rule=mark.rule)), HumanMessage(passage)]


def _draft(one: IndexedPiece, said: str) -> Draft | Drop:
    start, end = said.find("{"), said.rfind("}")
    try:
        reply = _Reply.model_validate_json(said[start : end + 1] if start >= 0 else "")
    except ValidationError:
        return Drop.MALFORMED
    question, answer = one_line(reply.question), one_line(reply.answer)
    if not question:
        return Drop.DECLINED
    if not answer or len(question) > _LONGEST_QUESTION or len(answer) > _LONGEST_ANSWER:
        return Drop.MALFORMED
    language = detect_language(question, certain=0.0) or one.piece.language or ""
    draft = Draft(one, QuestionKind.PASSAGE, question, answer, (), language=language, summary=one_line(reply.summary))
    return replace(draft, keys=_keys(draft, reply.terms), accepted=tuple(filter(None, map(one_line, reply.accepted))))


def _keys(draft: Draft, terms: list[str]) -> tuple[str, ...]:
    """The terms that do stand in the evidence or, where the model invented them, the question's words that do."""
    there = readable(draft.source.piece)
    real = [term for term in map(one_line, terms) if tokens(term) and contains(there, tokens(term))]
    return tuple(real or [token for token in tokens(draft.question) if token in there])
