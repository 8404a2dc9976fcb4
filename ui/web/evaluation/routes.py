"""Evaluations of an index: begun, watched, looked through, compared."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from eval.runs.names import EXTRACTIVE, Condition, System
from haystack_agent.errors import UsageError
from haystack_agent.media import format_of, preview_of
from ingest.indexing import status
from ui import printable
from ui.web.door.visitors import visitor_of
from ui.web.evaluation.questions import asked_in, made_from_files, with_questions
from ui.web.ids import EvaluationId, EvaluationIdText
from ui.web.library.local_folders import folder_named, require_local
from ui.web.state.evaluation_store import EvaluationStore

if TYPE_CHECKING:
    from eval.datasets.dataset import DataSet
    from eval.runs.execute import Progress
    from eval.runs.outcomes import Outcomes
    from eval.runs.run import RunOptions
    from ui.web.state.index_hub import OpenIndex
    from ui.web.state.workspace import Workspace

_SYSTEMS = (System.OURS, System.BM25, System.DENSE, System.RRF)
_IndexKey = Annotated[str, StringConstraints(max_length=100)]


class Evaluating(BaseModel):
    """What is measured: `folder` holds the questions or, left empty, `count` of them are made from the files."""

    model_config = ConfigDict(extra="forbid")
    index: _IndexKey
    folder: Annotated[str, StringConstraints(max_length=4096, strip_whitespace=True)] = ""
    count: Annotated[int, Field(ge=1, le=500)] = 40
    systems: Annotated[list[System], Field(min_length=1, max_length=6)]
    model: bool = False
    unanswerable: bool = False


class Continuing(BaseModel):
    """A run that was stopped."""

    model_config = ConfigDict(extra="forbid")
    index: _IndexKey
    run: EvaluationIdText


def evaluation_routes(workspace: Workspace) -> APIRouter:
    """The routes below ``/api/evaluation``."""
    router = APIRouter(prefix="/api/evaluation")
    hub = workspace.hub

    @router.get("/{index}")
    async def listed(request: Request, index: str) -> dict[str, Any]:
        one = await hub.using(index)
        return await asyncio.to_thread(_listed, workspace, one, index, visitor_of(request).local)

    @router.get("/{index}/progress")
    async def progress(index: str) -> dict[str, Any]:
        return (await hub.using(index)).evaluation.told()

    @router.get("/{index}/run/{run}")
    async def shown(index: str, run: EvaluationId) -> dict[str, Any]:
        one = await hub.using(index)
        return await asyncio.to_thread(_shown, _store(workspace, index), one, run)

    @router.delete("/{index}/run/{run}")
    async def remove(index: str, run: EvaluationId) -> dict[str, Any]:
        one = await hub.using(index)
        if one.evaluation.running:
            raise UsageError("An evaluation goes on: stop it first.")
        await asyncio.to_thread(_store(workspace, index).remove, run)
        one.evaluation.forget(run)
        return {}

    @router.get("/{index}/compare/{first}/{second}")
    async def compared(index: str, first: EvaluationId, second: EvaluationId) -> dict[str, Any]:
        return await asyncio.to_thread(_compared, _store(workspace, index), first, second)

    _add_running_routes(router, workspace)
    return router


def _add_running_routes(router: APIRouter, workspace: Workspace) -> None:
    hub = workspace.hub

    @router.post("/start")
    async def start(request: Request, wanted: Evaluating) -> dict[str, Any]:
        one = await hub.using(wanted.index)
        folder = folder_named(wanted.folder) if wanted.folder else None
        if folder is not None and folder not in await asyncio.to_thread(_brought, one):
            require_local(request)
        if wanted.model and workspace.models.name is None:
            raise UsageError("No language model is set up: start the server with --model and --model-url.")
        _require_quiet(one)
        path = _store(workspace, wanted.index).begin()
        one.evaluation.start(partial(_begin, workspace, one, wanted, path), path.name)
        return {}

    @router.post("/go-on")
    async def go_on(wanted: Continuing) -> dict[str, Any]:
        one = await hub.using(wanted.index)
        path = _store(workspace, wanted.index).path(wanted.run)
        _require_quiet(one)
        one.evaluation.start(partial(_go_on, workspace, one, path), path.name)
        return {}

    @router.post("/cancel/{index}")
    async def cancel(index: str) -> dict[str, Any]:
        one = hub.opened_already(index)
        if one is not None:
            one.evaluation.cancel()
        return {}


def _require_quiet(one: OpenIndex) -> None:
    if one.job.running:
        raise UsageError("The index is being brought up to date: evaluate it when that is done.")


def _store(workspace: Workspace, index: str) -> EvaluationStore:
    return EvaluationStore(workspace.settings.data_dir, workspace.hub.entry(index).key)


def _brought(one: OpenIndex) -> list[Path]:
    return with_questions(status(one.live.location).roots)


def _listed(workspace: Workspace, one: OpenIndex, index: str, local: bool) -> dict[str, Any]:
    from ui.web.evaluation.told import run_line

    store = _store(workspace, index)
    systems = [*_SYSTEMS, *([System.UCLIP] if one.live.sees else [])]
    return {
        "folders": [printable.name(path) for path in _brought(one)],
        "systems": [system.value for system in systems],
        "model": printable.line(workspace.models.name or ""),
        "runs": [run_line(run) for run in store.listed()],
        "kept": printable.name(store.folder) if local else "",
        "job": one.evaluation.told(),
    }


def _shown(store: EvaluationStore, one: OpenIndex, run: str) -> dict[str, Any]:
    from ui.web.evaluation.told import run_card

    def find(path: Path) -> dict[str, Any] | None:
        entry = one.catalogue.at(path)
        if entry is None:
            return None
        return {
            "asset": entry.asset_id,
            "look": preview_of(entry.media_type).value,
            "type": printable.name(entry.media_type),
            "playable": bool(format_of(entry.media_type).played_as),
        }

    return run_card(_outcomes(store, run), find)


def _compared(store: EvaluationStore, first: str, second: str) -> dict[str, Any]:
    from eval.reports.comparison import comparison
    from ui.web.evaluation.told import table_card

    return {"tables": [table_card(one) for one in comparison(_outcomes(store, first), _outcomes(store, second))]}


def _outcomes(store: EvaluationStore, run: str) -> Outcomes:
    from eval.runs.outcomes import read_outcomes

    return read_outcomes(store.path(run))


def _begin(workspace: Workspace, one: OpenIndex, wanted: Evaluating, path: Path, progress: Progress) -> list[str]:
    from eval.runs.run import NamedModel, RunOptions

    if wanted.folder:
        data = asked_in(folder_named(wanted.folder))
    else:
        data = made_from_files(one, path.parent, wanted.count, progress)
    reader = None
    if wanted.model:
        readers = workspace.models.readers()
        reader = NamedModel(readers.model, readers.name)
    conditions = (Condition.GOLD, Condition.TOP_5) if reader else (Condition.GOLD, Condition.ASK)
    options = RunOptions(tuple(wanted.systems), conditions, wanted.unanswerable, reader=reader)
    return _run(workspace, one, path, (data, options), progress)


def _go_on(workspace: Workspace, one: OpenIndex, path: Path, progress: Progress) -> list[str]:
    from eval.datasets.dataset import DataSet
    from eval.questions import unanswerable
    from eval.runs.config import versions
    from eval.runs.outcomes import read_outcomes
    from eval.runs.run import NamedModel, RunOptions

    begun = read_outcomes(path)
    config = begun.config
    if config.versions != versions():
        raise UsageError("This evaluation was begun with another version: delete it, and evaluate again.")
    if config.reader not in (EXTRACTIVE, workspace.models.name):
        raise UsageError(f"This evaluation was begun with the model {config.reader}: start the server with it.")
    added = {question.id for question in unanswerable()} if config.unanswerable else set()
    questions = tuple(question for key, question in begun.questions.items() if key not in added)
    reader = None
    if config.reader != EXTRACTIVE:
        readers = workspace.models.readers()
        reader = NamedModel(readers.model, readers.name)
    data = DataSet(config.data_set, Path(config.pool), questions, config.each_alone)
    options = RunOptions(config.systems, config.conditions, config.unanswerable, reader=reader)
    return _run(workspace, one, path, (data, options), progress)


def _run(
    workspace: Workspace, one: OpenIndex, path: Path, asked: tuple[DataSet, RunOptions], progress: Progress
) -> list[str]:
    from eval.runs.outcomes import read_outcomes
    from eval.runs.run import Bench, run_on
    from ui.web.evaluation.told import summary_of
    from ui.web.state.warm_renderer import WarmRenderer

    bench = Bench(one.live.engine, one.live.location, WarmRenderer(workspace.large))
    missing = run_on(bench, path, *asked, progress)
    EvaluationStore.finish(path, {**summary_of(read_outcomes(path)), "missing": len(missing)})
    return missing
