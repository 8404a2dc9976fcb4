"""The state of the indexes, indexing, browsing, and plain search."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from haystack_agent import asking
from haystack_agent.errors import HaystackError, UsageError
from haystack_agent.media import MEDIA, Medium, extent, preview_of
from haystack_agent.records import Modality
from ingest.indexing import status
from ui import printable
from ui.web.ask.similar import similar
from ui.web.cards.evidence_cards import cards_of
from ui.web.door.visitors import visitor_of
from ui.web.ids import AssetIdText, PieceIdText
from ui.web.library.estimate import estimate, sample_folder, subfolders
from ui.web.library.local_folders import folder_named, require_local
from ui.web.state.catalogue import AssetEntry
from ui.web.state.filter_values import FilterValues, facets
from ui.web.state.index_hub import OpenIndex
from ui.web.state.workspace import Workspace

_A_PAGE = 60
_FOUND = 40
_IndexKey = Annotated[str, StringConstraints(max_length=100)]
_FolderName = Annotated[str, StringConstraints(min_length=1, max_length=4096)]


class LibrarySearch(BaseModel):
    """A plain search: by words, or by a place that was found."""

    model_config = ConfigDict(extra="forbid")
    index: _IndexKey
    text: Annotated[str, StringConstraints(max_length=2000, strip_whitespace=True)] = ""
    filters: FilterValues = Field(default_factory=FilterValues)
    asset: AssetIdText | None = None
    piece: PieceIdText | None = None


class Starting(BaseModel):
    """A run of indexing: folders, or all that are known; `sample` makes a folder of samples first."""

    model_config = ConfigDict(extra="forbid")
    index: _IndexKey
    folders: list[_FolderName] = Field(default_factory=list, max_length=50)
    sample: bool = False
    retry: bool = False


class Folder(BaseModel):
    """A folder, as it was typed."""

    model_config = ConfigDict(extra="forbid")
    folder: _FolderName


def library_routes(workspace: Workspace) -> APIRouter:
    """The routes of the library, below ``/api``."""
    router = APIRouter(prefix="/api")
    hub = workspace.hub

    @router.get("/state")
    async def state(request: Request, index: str = "") -> dict[str, object]:
        return await asyncio.to_thread(_state, workspace, index, visitor_of(request).local)

    @router.get("/library/{index}")
    async def library(index: str) -> dict[str, object]:
        one = await hub.using(index)
        told = await asyncio.to_thread(_coverage, one)
        return {**told, "job": one.job.told(), "sees": one.live.sees}

    @router.get("/progress/{index}")
    async def progress(index: str) -> dict[str, object]:
        one = hub.opened_already(index)
        return one.job.told() if one else {"running": False}

    @router.get("/browse/{index}")
    async def browse(
        index: str, start: Annotated[int, Query(ge=0)] = 0, modality: Modality | None = None
    ) -> dict[str, object]:
        entries = (await hub.using(index)).catalogue.entries()
        chosen = [one for one in entries if modality is None or one.modality is modality]
        return {"tiles": [_tile(one) for one in chosen[start : start + _A_PAGE]], "total": len(chosen)}

    @router.post("/search")
    async def search(looking: LibrarySearch) -> dict[str, object]:
        one, filters = await hub.using(looking.index), looking.filters.filters()
        if looking.piece and looking.asset:
            return {"cards": cards_of(await similar(workspace, one, looking.asset, looking.piece))}
        if not looking.text:
            return {"cards": []}
        asked = asking.Request(looking.text, _FOUND, filters, as_asked=True)
        found = await hub.searching(lambda: one.live.engine.find(asked))
        return {"cards": cards_of(found.evidence)}

    _add_indexing_routes(router, workspace)
    return router


def _add_indexing_routes(router: APIRouter, workspace: Workspace) -> None:
    hub = workspace.hub

    @router.post("/index/start")
    async def start(request: Request, starting: Starting) -> dict[str, object]:
        if starting.folders or starting.sample:
            require_local(request)
        roots = [folder_named(name) for name in starting.folders]
        if starting.sample:
            roots.append(await asyncio.to_thread(sample_folder, workspace.settings.data_dir))
        one = await asyncio.to_thread(partial(hub.opened, starting.index, create=True))
        if one.evaluation.running:
            raise UsageError("This index is being evaluated: wait until that is done, or stop it in Evaluation.")
        one.job.start(roots, starting.retry, workspace.settings.workers)
        return {}

    @router.post("/index/cancel/{index}")
    async def cancel(index: str) -> dict[str, object]:
        one = hub.opened_already(index)
        if one is not None:
            one.job.cancel()
        return {}

    @router.post("/index/estimate")
    async def estimated(request: Request, folder: Folder) -> dict[str, object]:
        require_local(request)
        return await asyncio.to_thread(estimate, folder_named(folder.folder), workspace.settings.workers)

    @router.post("/index/folders")
    async def folders(request: Request, folder: Folder) -> list[str]:
        require_local(request)
        return await asyncio.to_thread(subfolders, folder.folder)


def _tile(entry: AssetEntry) -> dict[str, object]:
    return {
        "asset": entry.asset_id,
        "name": printable.name(Path(entry.path).name),
        "modality": entry.modality.value,
        "type": entry.media_type,
        "look": preview_of(entry.media_type).value,
        "made": entry.made.date().isoformat(),
        "pages": entry.pages,
        "duration": entry.duration,
        "length": extent(entry.media_type, entry.pages, entry.duration),
    }


def _medium(medium: Medium) -> dict[str, str]:
    """What a medium is called, for the page: `value` stands in its addresses and filters."""
    noun = medium.noun
    return {"value": medium.modality.value, "one": noun.one, "many": noun.many, "title": medium.title}


def _state(workspace: Workspace, index: str, local: bool) -> dict[str, object]:
    """What the page needs to know first; the index is opened meanwhile, and what only it tells comes later."""
    hub, models = workspace.hub, workspace.models
    entries = hub.entries()
    chosen = next((entry for entry in entries if entry.key == index), entries[0])
    told: dict[str, object] = {
        "index": chosen.key,
        "started_with": entries[0].key,
        "indexes": [{"key": one.key, "label": printable.name(one.label)} for one in entries if one.exists],
        "model": printable.line(models.name or ""),
        "destination": printable.line(models.destination or ""),
        "local": local,
        "home": str(Path.home()) if local else "",
        "media": [_medium(one) for one in MEDIA],
        "ready": False,
        "error": "",
    }
    if not chosen.exists:
        return told
    try:
        one = hub.opened_soon(chosen.key)
        coverage = status(chosen.location)
    except HaystackError as error:
        return {**told, "error": printable.line(str(error))}
    return {
        **told,
        "ready": coverage.pieces > 0,
        "sees": one is not None and one.live.sees,
        "job": one.job.told() if one else {"running": False},
        "files": coverage.counts.indexed,
        "unread": coverage.counts.failed,
        "facets": one.facets.of(one.catalogue.entries(), coverage.roots) if one else facets((), ()),
        "examples": one.catalogue.examples() if one else [],
        "complete": one is not None and one.catalogue.complete,
    }


def _coverage(one: OpenIndex) -> dict[str, object]:
    state = status(one.live.location)
    problems = sorted(state.problems, key=lambda problem: (problem.state != "failed", problem.path))
    return {
        "folders": [printable.name(root) for root in state.roots],
        "indexed": state.counts.indexed,
        "failed": state.counts.failed,
        "skipped": state.counts.skipped,
        "pieces": state.pieces,
        "problems": [
            {
                "path": printable.name(problem.path),
                "name": printable.name(Path(problem.path).name),
                "state": problem.state,
                "reason": printable.line(problem.reason),
            }
            for problem in problems[:500]
        ],
    }
