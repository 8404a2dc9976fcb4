"""One evaluation run from its data set to its journals."""

from __future__ import annotations

import hashlib
import importlib
import posixpath
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from eval.datasets.dataset import DataSet
from eval.questions import Question, unanswerable
from eval.runs.config import RunConfig, digest, freeze, versions
from eval.runs.execute import Answering, Journals, Progress, Retrieving, judge
from eval.runs.gold import GoldEvidence
from eval.runs.llm_judge import LlmJudge
from eval.runs.names import EXTRACTIVE, Condition, System
from eval.runs.outcomes import write_questions
from eval.runs.readers import AnswerReader, ExtractiveAnswers, ModelAnswers
from eval.runs.retrievers import OfLangChain, OneVector, Ours, RankFusion, Retriever, relative
from eval.runs.tutorial import tutorial_retriever
from haystack_agent import places
from haystack_agent.engine import Engine
from haystack_agent.errors import UsageError
from haystack_agent.index_files import IndexFiles, read_card
from haystack_agent.index_location import IndexLocation
from haystack_agent.store.values import VectorName
from ingest.record.manifest import Manifest

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.retrievers import BaseRetriever

    from haystack_agent.answering.pictures import Renderer

EXTRACTIVE_CONDITIONS = (Condition.GOLD, Condition.TOP_1, Condition.TOP_3, Condition.TOP_5, Condition.ASK)
MODEL_CONDITIONS = (Condition.NONE, Condition.GOLD, Condition.TOP_1, Condition.TOP_3, Condition.TOP_5)
_VECTORS = {System.BM25: VectorName.BM25, System.DENSE: VectorName.TEXT, System.UCLIP: VectorName.UCLIP}


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A language model and what reports call it."""

    model: BaseChatModel
    name: str


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What is run."""

    systems: tuple[str, ...] = (System.OURS, System.BM25, System.DENSE, System.RRF, System.TUTORIAL)
    """`System` values, or ``module:function`` for a retriever of LangChain that the function makes of the pool's
    folder."""
    conditions: tuple[Condition, ...] | None = None
    """``None`` for what suits the reader."""
    unanswerable: bool = False
    parallel: int = 4
    """Calls of a language model at a time."""
    prices: tuple[float, float] | None = None
    reader: NamedModel | None = None
    """``None`` for the extractive one."""
    judge: NamedModel | None = None


@dataclass(frozen=True, slots=True)
class Bench:
    """What questions are put to: an index that is open, where it is, and what draws evidence for a model."""

    engine: Engine
    location: IndexLocation
    renderer: Renderer


def run(
    folder: Path, data: DataSet, location: IndexLocation, options: RunOptions, renderer: Renderer, progress: Progress
) -> list[str]:
    """Open the index, then `run_on` it.

    Raises:
        UsageError: the run in the folder is another one, or the data set or a system cannot be used.
        IndexUnusable, StoreUnreachable, ModelUnavailable: the index cannot be opened.
    """
    with Engine.open(location) as engine:
        return run_on(Bench(engine, location, renderer), folder, data, options, progress)


def run_on(bench: Bench, folder: Path, data: DataSet, options: RunOptions, progress: Progress) -> list[str]:
    """Ask everything that was not asked yet; a line for each answer that could not be had.

    An error that `progress` raises ends the run; what was done is kept.

    Raises:
        UsageError: the run in the folder is another one, or the data set or a system cannot be used.
    """
    engine, asked = bench.engine, _questions(data, options)
    known = _assets(bench.location)
    if data.each_alone:
        asked = [_with_copies(one, data.pool, known) for one in asked]
    systems = {name: _maker(name, engine, data.pool) for name in options.systems}
    if not systems:
        raise UsageError(f"No system is named: write one of {', '.join(System)} or more, with commas.")
    if folder.resolve().is_relative_to(data.pool.resolve()):
        raise UsageError(f"{folder} lies among the files of {data.name}: its reports would be searched. Name another.")
    default = EXTRACTIVE_CONDITIONS if options.reader is None else MODEL_CONDITIONS
    conditions = options.conditions if options.conditions is not None else default
    config = _config(data, bench.location, asked, replace(options, conditions=conditions))
    freeze(config.model_copy(update={"contents": _contents(known)}), folder)
    write_questions(folder, asked)
    journals = Journals(folder)
    answerable = [one for one in asked if one.evidence]
    for name in options.systems:
        todo = Retrieving(name, answerable, journals.rankings())
        if todo.questions:
            todo.run(systems[name](), progress)
    reader = _reader(options.reader, engine, bench.renderer)
    gold = GoldEvidence(engine, bench.location, data.pool)
    failures = Answering(engine, gold, reader, data.pool, options.parallel).run(
        asked, conditions, journals.answers(), progress
    )
    if options.judge is not None:
        by = LlmJudge(options.judge.model, options.judge.name)
        questions = {one.id: one for one in asked}
        failures += judge(questions, journals.answers(), journals.verdicts(), by, progress)
    return failures


def _questions(data: DataSet, options: RunOptions) -> list[Question]:
    """Those of the data set and, if wanted, those that nothing answers.

    Raises:
        UsageError: there is none, two have one id, or evidence is not in the pool.
    """
    plain = [replace(one, evidence=tuple(map(posixpath.normpath, one.evidence))) for one in data.questions]
    asked = [*plain, *(unanswerable() if options.unanswerable else ())]
    seen: set[str] = set()
    for one in asked:
        if one.id in seen:
            raise UsageError(f"Two questions of {data.name} have the id {one.id!r}: give each its own.")
        seen.add(one.id)
        for name in one.evidence:
            if not (data.pool / name).is_file():
                raise UsageError(f"The evidence {name!r} of question {one.id} is not in {data.pool}.")
    if not data.questions:
        raise UsageError(f"{data.name} holds no questions.")
    return asked


def _assets(location: IndexLocation) -> dict[str, str]:
    """Ids of contents by path."""
    manifest = Manifest(IndexFiles(location.path).manifest, reading=True)
    try:
        return {str(row.path): row.asset_id for row in manifest.files() if row.asset_id and row.verdict is None}
    finally:
        manifest.close()


def _contents(assets: Mapping[str, str]) -> str:
    return hashlib.blake2b("".join(sorted(set(assets.values()))).encode(), digest_size=16).hexdigest()


def _with_copies(question: Question, pool: Path, assets: Mapping[str, str]) -> Question:
    """With the files of the same content: whichever of them is found answers as well."""
    wanted = {assets[path] for name in question.evidence if (path := str(pool / name)) in assets}
    copies = [path for path, asset_id in assets.items() if asset_id in wanted]
    names = [relative([path], pool) for path in sorted(copies)]
    return replace(question, evidence=tuple(dict.fromkeys((*question.evidence, *names))))


def _config(data: DataSet, location: IndexLocation, asked: list[Question], options: RunOptions) -> RunConfig:
    return RunConfig(
        data_set=data.name,
        pool=str(data.pool),
        questions=digest(asked),
        unanswerable=options.unanswerable,
        each_alone=data.each_alone,
        profile=read_card(IndexFiles(location.path)).fingerprint,
        systems=options.systems,
        reader=options.reader.name if options.reader else EXTRACTIVE,
        conditions=options.conditions or (),
        judge=options.judge.name if options.judge else None,
        prices=options.prices,
        versions=versions(),
    )


def _reader(model: NamedModel | None, engine: Engine, renderer: Renderer) -> AnswerReader:
    return ExtractiveAnswers(engine) if model is None else ModelAnswers(model.model, model.name, renderer)


def _maker(name: str, engine: Engine, pool: Path) -> Callable[[], Retriever]:
    """What makes the system that a name stands for.

    Raises:
        UsageError: it stands for nothing that can be asked here.
    """
    if name not in set(System):
        make = _foreign(name)
        return lambda: OfLangChain(make(pool), pool)
    system = System(name)
    if system is System.UCLIP and engine.encoders.sight is None:
        raise UsageError("The system 'uclip' needs an index of a profile that sees: leave it out of --systems.")
    match system:
        case System.OURS:
            return lambda: Ours(engine, pool)
        case System.RRF:
            return lambda: RankFusion(engine, pool)
        case System.TUTORIAL:
            return lambda: OfLangChain(tutorial_retriever(pool, engine.encoders.text, places.MOST), pool)
        case _:
            return lambda: OneVector(engine, pool, _VECTORS[system])


def _foreign(name: str) -> Callable[[Path], BaseRetriever]:
    """The function that a user names; modules are looked for in the current folder too, as by ``python -m``."""
    module, colon, function = name.partition(":")
    unusable = (
        f"The system {name!r} cannot be used: write {', '.join(System)}, or module:function for a function of yours "
        "that makes a LangChain retriever of a folder"
    )
    if not colon:
        raise UsageError(f"{unusable}.")
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    try:
        make: Callable[[Path], BaseRetriever] = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise UsageError(f"{unusable} ({error}).") from error
    return make
