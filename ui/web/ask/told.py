"""What the page is told while a question is answered: each step as a plain value, and the turn to keep of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import AsyncIterator

from pydantic import ValidationError

from haystack_agent.answering.events import Done, Gathered, Status, Token, ToolCalled
from haystack_agent.answering.modes import AnswerMode
from haystack_agent.asking import Found, Step
from haystack_agent.errors import HaystackError, UsageError
from ui import printable
from ui.web.ask.asking import in_breaths, steps, until_stopped
from ui.web.ask.making import AT_ONCE, Making, Told
from ui.web.ask.question import LONGEST, PageQuestion
from ui.web.cards.evidence_cards import answer_card, cards_of
from ui.web.door.visitors import Visitor
from ui.web.state.conversation_store import KeptTurn, NotKept, unanswered
from ui.web.state.filter_values import values_of
from ui.web.state.workspace import Workspace

_REMEMBERED = 6
_LOG = logging.getLogger(__name__)


async def answered(workspace: Workspace, visitor: Visitor, payload: object) -> AsyncIterator[Told]:
    """Answer a question of the page; the last value is of the kind ``end``."""
    try:
        making = _begun(workspace, visitor, _question(workspace, visitor, payload))
    except HaystackError as error:
        yield {"kind": "error", "text": printable.line(str(error)), "gone": isinstance(error, _Gone)}
    else:
        async for told in making.listen():
            yield told
    yield {"kind": "end"}


class _Gone(UsageError):
    """The conversation was removed."""


def _begun(workspace: Workspace, visitor: Visitor, question: PageQuestion) -> Making:
    key = (visitor.id, question.conversation)
    if key in workspace.making:
        raise UsageError("The question before is still being answered: stop it first.")
    if len(workspace.making) >= AT_ONCE:
        raise UsageError(f"{AT_ONCE} questions are being answered: ask again when one of them is done.")
    making = workspace.making[key] = Making(_turn_of(question))
    making.start(_Telling(workspace, visitor, question, making).told(), lambda: workspace.making.pop(key))
    return making


def _turn_of(question: PageQuestion) -> KeptTurn:
    return KeptTurn(
        id=secrets.token_hex(8),
        question=question.text or "(a picture)",
        asked=time.time(),
        mode=question.mode.value,
        picture=bool(question.picture),
        filters=question.filters.model_dump(mode="json"),
    )


def _question(workspace: Workspace, visitor: Visitor, payload: object) -> PageQuestion:
    try:
        question = PageQuestion.model_validate(payload)
    except ValidationError as error:
        if any(one["type"] == "string_too_long" and one["loc"] == ("text",) for one in error.errors()):
            raise UsageError(f"The question is longer than {LONGEST:,} characters: shorten it.") from None
        raise UsageError("The page sent something that this server does not understand: reload it.") from None
    if not question.text and not question.picture:
        raise UsageError("There is no question: type one, or add a picture.")
    if not question.conversation:
        return question.model_copy(update={"conversation": workspace.conversations.new_id(), "earlier": []})
    try:
        kept = workspace.conversations.get(visitor, question.conversation).turns[-_REMEMBERED:]
    except UsageError as error:
        raise _Gone(str(error)) from error
    earlier = [(turn.understood or turn.question, said) for turn in kept if (said := str(turn.answer.get("text", "")))]
    return question.model_copy(update={"earlier": earlier})


class _Telling:
    """Turns steps into what the page is told, and keeps the turn: the question at once, its answer when it is there."""

    def __init__(self, workspace: Workspace, visitor: Visitor, question: PageQuestion, making: Making) -> None:
        self._workspace = workspace
        self._visitor = visitor
        self._question = question
        self._turn = making.turn
        self._stop = making.stop
        self._written = ""
        self._added = False

    async def told(self) -> AsyncIterator[Told]:
        """What the page is told, in order."""
        with contextlib.suppress(NotKept):  # tried again with the answer, then told
            await asyncio.to_thread(self._add)
        yield {"kind": "begin", "conversation": self._question.conversation}
        try:
            taken = steps(self._workspace, self._visitor, self._question)
            async for step in in_breaths(until_stopped(taken, self._stop)):
                for told in self._of(step):
                    yield told
        except HaystackError as error:
            yield self._failed(printable.line(str(error)))
        except Exception as error:  # noqa: BLE001 - a task's boundary: nobody else would say so
            _LOG.exception("a question could not be answered")
            yield self._failed(f"An unexpected error ({type(error).__name__}): the server's log has the details.")
        if self._stop.is_set():
            notes = ["You stopped this answer."]
            self._turn.answer = {"text": self._written, "stopped": True, "notes": notes, "citations": []}
            yield {"kind": "stopped", "answer": self._turn.answer}
        yield await asyncio.to_thread(self._keep)

    def _failed(self, reason: str) -> Told:
        self._turn.answer = unanswered(reason)
        return {"kind": "error", "text": reason}

    def _keep(self) -> Told:
        try:
            if self._added:
                self._workspace.conversations.finish(self._visitor, self._question.conversation, self._turn)
            else:
                self._add()
        except NotKept as error:
            return {"kind": "unkept", "text": printable.line(str(error)), "asked": self._added}
        return {"kind": "kept"}

    def _add(self) -> None:
        asked = self._question
        self._workspace.conversations.add(self._visitor, asked.conversation, asked.index, self._turn)
        self._added = True

    def _of(self, step: Step) -> list[Told]:
        match step:
            case Found():
                return self._found(step)
            case Status(text):
                self._turn.steps.append(printable.line(text))
                return [{"kind": "status", "text": printable.line(text)}]
            case ToolCalled(name, arguments):
                self._wrote("")
                text = printable.short(f"{name}: {arguments}", 200)
                self._turn.steps.append(text)
                return [{"kind": "tool", "text": text}]
            case Token(text):
                self._wrote(self._written + text)
                return [{"kind": "token", "text": printable.text(text)}]
            case Gathered(evidence):
                self._turn.cards = cards_of(evidence)
                return [{"kind": "gathered", "cards": self._turn.cards}]
            case Done(answer):
                self._turn.cards = cards_of(answer.evidence)
                self._turn.answer = {**answer_card(answer), **self._incomplete()}
                return [{"kind": "done", "answer": self._turn.answer, "cards": self._turn.cards}]

    def _wrote(self, text: str) -> None:
        self._written = text
        self._turn.answer = {"text": printable.text(text), "notes": [], "citations": []} if text else {}

    def _found(self, found: Found) -> list[Told]:
        understood = found.asked.understood
        same = understood.question == self._question.text
        self._turn.understood = "" if same else printable.line(understood.question)
        self._turn.parts = [printable.line(part) for part in understood.parts]
        self._turn.cards = cards_of(found.evidence)
        self._turn.narrowed = values_of(found.filters) if found.narrowed else None
        told: Told = {
            "kind": "found",
            "understood": self._turn.understood,
            "parts": self._turn.parts,
            "filters": self._turn.narrowed,
            "cards": self._turn.cards if self._question.mode is not AnswerMode.AGENT else [],
        }
        return [told]

    def _incomplete(self) -> Told:
        """Say so where files were not read yet: the answer may stand in one of them."""
        opened = self._workspace.hub.opened_already(self._question.index)
        if opened is None or not opened.job.running:
            return {}
        return {"incomplete": "Not all files are read yet. Ask again when indexing is done."}
