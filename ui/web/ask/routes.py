"""Conversations, pictures to search with, stopping an answer, and opening a place on this computer."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from pydantic import BaseModel, ConfigDict, StringConstraints

from haystack_agent.errors import UsageError
from haystack_agent.store.values import IndexedPiece
from ui.terminal.last_results import Place
from ui.terminal.opener import open_place
from ui.web.ask.conversation_export import as_markdown
from ui.web.ask.making import Making
from ui.web.cards.evidence_cards import piece_card
from ui.web.door.visitors import Visitor, visitor_of
from ui.web.ids import AssetId, AssetIdText, ConversationId, PieceIdText
from ui.web.state.conversation_store import KeptTurn, unanswered
from ui.web.state.workspace import Workspace


class Renaming(BaseModel):
    """A conversation's new title."""

    model_config = ConfigDict(extra="forbid")
    title: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Opening(BaseModel):
    """A place to open in the system's viewer."""

    model_config = ConfigDict(extra="forbid")
    index: Annotated[str, StringConstraints(max_length=100)]
    asset: AssetIdText
    piece: PieceIdText
    quote: Annotated[str, StringConstraints(max_length=2000)] = ""


def chat_routes(workspace: Workspace) -> APIRouter:
    """The routes of the conversation, below ``/api``."""
    router = APIRouter(prefix="/api")
    store = workspace.conversations

    @router.get("/conversations")
    def listed(request: Request) -> list[dict[str, object]]:
        found = store.listed(visitor_of(request))
        return [{"id": one.id, "title": one.title, "index": one.index, "updated": one.updated} for one in found]

    @router.get("/conversations/{identity}")
    async def conversation(request: Request, identity: ConversationId) -> dict[str, object]:
        """The conversation, with what is known so far of the answer that is being made."""
        visitor = visitor_of(request)
        making = workspace.making.get((visitor.id, identity))  # first: an answer is kept, then it is no longer made
        stored = await asyncio.to_thread(store.get, visitor, identity)
        made = [_as_known(turn, making) for turn in stored.turns]
        return {**stored.model_copy(update={"turns": made}).model_dump(), "making": making is not None}

    @router.patch("/conversations/{identity}")
    def rename(request: Request, identity: ConversationId, renaming: Renaming) -> dict[str, object]:
        store.rename(visitor_of(request), identity, renaming.title)
        return {}

    @router.delete("/conversations/{identity}")
    async def delete(request: Request, identity: ConversationId) -> dict[str, object]:
        visitor = visitor_of(request)
        _end(workspace, visitor, identity)
        await asyncio.to_thread(store.delete, visitor, identity)
        return {}

    @router.get("/conversations/{identity}/export.md")
    def export(request: Request, identity: ConversationId) -> Response:
        visitor = visitor_of(request)
        text = as_markdown(store.get(visitor, identity), with_links=visitor.local)
        headers = {"Content-Disposition": 'attachment; filename="conversation.md"'}
        return PlainTextResponse(text, headers=headers, media_type="text/markdown; charset=utf-8")

    @router.post("/conversations/{identity}/stop")
    async def stop(request: Request, identity: ConversationId) -> dict[str, object]:
        _end(workspace, visitor_of(request), identity)
        return {}

    @router.post("/picture")
    async def picture(request: Request) -> dict[str, object]:
        return {"picture": await workspace.pictures.take(visitor_of(request), await request.body())}

    _add_place_routes(router, workspace)
    return router


def _end(workspace: Workspace, visitor: Visitor, identity: str) -> None:
    making = workspace.making.get((visitor.id, identity))
    if making is not None:
        making.stop.set()


def _as_known(turn: KeptTurn, making: Making | None) -> KeptTurn:
    """A turn with what is known of its answer by now."""
    if making is not None and turn.id == making.turn.id:
        return making.turn
    return turn if turn.answer else turn.model_copy(update={"answer": unanswered()})


def _add_place_routes(router: APIRouter, workspace: Workspace) -> None:
    @router.get("/places/{index}/{asset}")
    async def places(index: str, asset: AssetId) -> list[dict[str, object]]:
        """All places of a file, in order: what is before and after one that was found."""
        found = await _pieces(workspace, index, asset)
        return [piece_card(one.piece, one.paths) for one in found]

    @router.post("/open")
    async def open_(request: Request, opening: Opening) -> dict[str, object]:
        if not visitor_of(request).local:
            raise UsageError("Files can be opened only in a browser on the computer that they are on.")
        found = await _pieces(workspace, opening.index, opening.asset)
        piece = next((one for one in found if one.piece.id == opening.piece), None)
        if piece is None:
            raise UsageError("This place is not in the index any more.")
        place = Place(piece.paths, piece.piece.locator, opening.quote or piece.piece.text)
        settings = workspace.settings
        await asyncio.to_thread(open_place, place, settings.data_dir, settings.viewer)
        return {}


async def _pieces(workspace: Workspace, index: str, asset: str) -> list[IndexedPiece]:
    hub = workspace.hub
    opened = await hub.using(index)
    return await hub.searching(partial(opened.live.store.fetch, [asset]))
