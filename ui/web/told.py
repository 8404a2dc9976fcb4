"""What the page is told while a question is answered: each step as a plain value, and the turn to keep of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from pydantic import ValidationError

from haystack_agent.answering.events import Done, Gathered, Status, Token, ToolCalled
from haystack_agent.errors import HaystackError, UsageError
from ui import printable
from ui.commands_query import AnswerMode
from ui.web.asking import Asking, Found, Step, in_breaths, until_stopped
from ui.web.conversation_store import Turn
from ui.web.evidence_cards import answer_card, cards_of
from ui.web.filter_values import values_of
from ui.web.question import Question
from ui.web.visitors import Visitor
from ui.web.workspace import Workspace

Told = dict[str, Any]
_REMEMBERED = 6


async def answered(workspace: Workspace, visitor: Visitor, payload: object) -> AsyncIterator[Told]:
    """Answer a question of the page; the last value is of the kind ``end``."""
    try:
        question = _question(workspace, visitor, payload)
    except HaystackError as error:
        yield {"kind": "error", "text": printable.line(str(error))}
        yield {"kind": "end"}
        return
    key = (visitor.id, question.conversation)
    if key in workspace.stops:
        yield {"kind": "error", "text": "The question before is still being answered: stop it first."}
        yield {"kind": "end"}
        return
    workspace.stops[key] = asyncio.Event()
    yield {"kind": "begin", "conversation": question.conversation}
    try:
        async for told in _Telling(workspace, visitor, question).told(workspace.stops[key]):
            yield told
    finally:
        del workspace.stops[key]
    yield {"kind": "end"}


def _question(workspace: Workspace, visitor: Visitor, payload: object) -> Question:
    try:
        question = Question.model_validate(payload)
    except ValidationError as error:
        raise UsageError(f"This cannot be asked: {error.errors()[0]['msg']}.") from None
    if not question.text and not question.picture:
        raise UsageError("There is no question: type one, or add a picture.")
    if not question.conversation:
        return question.model_copy(update={"conversation": workspace.conversations.new_id(), "earlier": []})
    kept = workspace.conversations.get(visitor, question.conversation).turns[-_REMEMBERED:]
    earlier = [(turn.understood or turn.question, str(turn.answer.get("text", ""))) for turn in kept if turn.answer]
    return question.model_copy(update={"earlier": earlier})


class _Telling:
    """Turns steps into what the page is told, and keeps the turn."""

    def __init__(self, workspace: Workspace, visitor: Visitor, question: Question) -> None:
        self._workspace = workspace
        self._visitor = visitor
        self._question = question
        self._turn = Turn(
            question=question.text or "(a picture)",
            asked=time.time(),
            mode=question.mode.value,
            picture=bool(question.picture),
            filters=question.filters.model_dump(mode="json"),
        )
        self._written = ""

    async def told(self, stop: asyncio.Event) -> AsyncIterator[Told]:
        """What the page is told, in order."""
        steps = Asking(self._workspace, self._visitor, self._question).steps()
        try:
            async for step in in_breaths(until_stopped(steps, stop)):
                for told in self._of(step):
                    yield told
        except HaystackError as error:
            yield {"kind": "error", "text": printable.line(str(error))}
            self._turn.answer = {"text": "", "error": printable.line(str(error)), "notes": [], "citations": []}
        if stop.is_set():
            self._turn.answer = {"text": self._written, "notes": ["You stopped this answer."], "citations": []}
            yield {"kind": "stopped", "answer": self._turn.answer}
        stored = await asyncio.to_thread(
            self._workspace.conversations.add,
            self._visitor,
            self._question.conversation,
            self._question.index,
            self._turn,
        )
        yield {"kind": "kept", "title": stored.title}

    def _of(self, step: Step) -> list[Told]:
        match step:
            case Found():
                return self._found(step)
            case Status(text):
                self._turn.steps.append(printable.line(text))
                return [{"kind": "status", "text": printable.line(text)}]
            case ToolCalled(name, arguments):
                self._written = ""
                text = printable.short(f"{name}: {arguments}", 200)
                self._turn.steps.append(text)
                return [{"kind": "tool", "text": text}]
            case Token(text):
                self._written += text
                return [{"kind": "token", "text": printable.text(text)}]
            case Gathered(evidence):
                self._turn.cards = cards_of(evidence)
                return [{"kind": "gathered", "cards": self._turn.cards}]
            case Done(answer):
                self._turn.cards = cards_of(answer.evidence)
                self._turn.answer = {**answer_card(answer), **self._incomplete()}
                return [{"kind": "done", "answer": self._turn.answer, "cards": self._turn.cards}]

    def _found(self, found: Found) -> list[Told]:
        asked = found.understood.question
        self._turn.understood = "" if asked == self._question.text else printable.line(asked)
        self._turn.cards = cards_of(found.evidence)
        narrowed = found.filters != self._question.filters.filters()
        told: Told = {
            "kind": "found",
            "understood": self._turn.understood,
            "parts": [printable.line(part) for part in found.understood.parts],
            "filters": values_of(found.filters) if narrowed else None,
            "cards": self._turn.cards if self._question.mode is not AnswerMode.AGENT else [],
        }
        return [told]

    def _incomplete(self) -> Told:
        """Say so where files were not read yet: the answer may stand in one of them."""
        opened = self._workspace.hub.opened_already(self._question.index)
        if opened is None or not opened.job.running:
            return {}
        return {"incomplete": "Not all files are read yet. Ask again when indexing is done."}
