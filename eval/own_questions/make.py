"""Questions about a user's own folder, made from its index, with the one place that answers each.

By rules (`eval.own_questions.rules`) or by a language model (`eval.own_questions.model`). Pieces are drawn evenly from
every kind of file, language and folder, the same for the same seed. A question is kept where its answer stands in its
evidence and, as far as search finds it, nowhere else could be meant (`eval.own_questions.check`). Questions made from
the text of a place find that place more easily than those of people: compare systems with them, not folders.
"""

from __future__ import annotations

import hashlib
import os
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

from eval.own_questions.check import Checker, Drop, repeated
from eval.own_questions.file import MADE, QuestionFile
from eval.own_questions.model import Writer
from eval.own_questions.rules import Draft, QuestionKind, drafts
from eval.questions import Question
from haystack_agent.engine import Engine
from haystack_agent.errors import UsageError
from haystack_agent.store.values import IndexedPiece

_FILES = 2000
"""Files drawn at most: enough for any number of questions that somebody will look at."""
_FETCHED = 64

Progress = Callable[[int, Mapping[str, int]], None]
"""Takes the number of questions made so far, and how many drafts had which outcome."""


@dataclass(frozen=True, slots=True)
class Made:
    """A question, and how it was made."""

    question: Question
    how: dict[str, Any]


def make_questions(
    engine: Engine, count: int, seed: int, writer: Writer | None = None, file: QuestionFile | None = None
) -> Iterator[Made | Drop]:
    """Make questions until there are `count`, or nothing is left to ask; those in `file` count, new ones go there.

    For each draft that was tried: the question, or why it is none.

    Raises:
        ModelFailed: the writer's model does not answer; what was made is in the file.
        IndexUnusable: the index cannot be read.
    """
    made = 0 if file is None else len(file)
    if made >= count:
        return
    drawn = random.Random(seed)  # noqa: S311 - a sample, not a secret
    pieces = _pieces(engine, drawn)
    root, checker = root_of(engine), Checker(engine)
    candidates = _candidates(pieces, writer, file)
    for key, candidate in _spread(candidates, drawn):
        if file is not None and file.tried(key):
            continue
        draft = candidate if isinstance(candidate, Draft) else _written(writer, candidate, seed)
        checked = draft if isinstance(draft, Drop) else checker.drop(draft) or draft
        if isinstance(checked, Drop):
            if file is not None:
                file.drop(key, checked)
            yield checked
            continue
        done = Made(_question(key, checked, root), _how(checked, seed, writer))
        if file is not None:
            file.add(done.question, done.how)
        yield done
        made += 1
        if made >= count:
            return


def make_file(
    engine: Engine,
    folder: Path,
    count: int,
    seed: int = 1,
    writer: Writer | None = None,
    progress: Progress | None = None,
) -> Counter[str]:
    """Make `questions.jsonl` in a folder, or go on with it; how many drafts had which outcome.

    Raises:
        UsageError: the index is empty, or the file is malformed.
        ModelFailed: the writer's model does not answer; running again goes on.
    """
    file = QuestionFile(folder)
    for _ in make_questions(engine, count, seed, writer, file):
        if progress:
            progress(len(file), file.outcomes())
    return file.outcomes()


def root_of(engine: Engine) -> Path:
    """The deepest folder that holds all indexed files: evidence is named relative to it.

    Raises:
        UsageError: there are none, or they have no folder in common.
    """
    return common_folder(path for one in _fetched(engine, engine.asset_ids()) for path in one.paths)


def common_folder(paths: Iterable[str]) -> Path:
    """The deepest folder that holds all of the files.

    Raises:
        UsageError: there are none, or they have no folder in common.
    """
    folders = {str(PurePath(path).parent) for path in paths}
    try:
        return Path(os.path.commonpath(sorted(folders)))
    except ValueError as error:
        raise UsageError(
            "The index is empty, or its files are on different drives: index one folder and its subfolders."
        ) from error


def _pieces(engine: Engine, drawn: random.Random) -> list[IndexedPiece]:
    """The pieces of all files or, of many, of some; without their vectors."""
    ids = engine.asset_ids()
    chosen = ids if len(ids) <= _FILES else drawn.sample(ids, _FILES)
    return [replace(one, dense=(), bm25=None) for one in _fetched(engine, chosen)]


def _fetched(engine: Engine, asset_ids: Sequence[str]) -> Iterator[IndexedPiece]:
    for first in range(0, len(asset_ids), _FETCHED):
        yield from engine.pieces(asset_ids[first : first + _FETCHED])


Candidate = Draft | IndexedPiece


def _candidates(
    pieces: Sequence[IndexedPiece], writer: Writer | None, file: QuestionFile | None
) -> Sequence[Candidate]:
    """What may become a question; what is asked twice is dropped at once."""
    if writer is not None:
        return [one for one in pieces if writer.can_ask(one)]
    by_file: defaultdict[str, list[IndexedPiece]] = defaultdict(list)
    for one in pieces:
        by_file[one.piece.asset_id].append(one)
    found = [draft for some in by_file.values() for draft in drafts(some)]
    twice = repeated(found)
    if file is not None:
        for draft in found:
            if twice[draft.question] and not file.tried(_key(draft)):
                file.drop(_key(draft), Drop.REPEATED)
    return list({draft.question: draft for draft in found if not twice[draft.question]}.values())


def _spread(found: Sequence[Candidate], drawn: random.Random) -> Iterator[tuple[str, Candidate]]:
    """Candidates with their ids: one of each group (kind, modality, language, folder) in turn.

    In a group, one of the file that was drawn from least so far.
    """
    groups: defaultdict[tuple[str, ...], list[tuple[str, Candidate]]] = defaultdict(list)
    for candidate in found:
        groups[_group(candidate)].append((_key(candidate), candidate))
    for members in groups.values():
        members.sort(key=lambda member: member[0])
        drawn.shuffle(members)
    order = sorted(groups)
    drawn.shuffle(order)
    used: Counter[str] = Counter()
    while any(groups.values()):
        for name in order:
            if members := groups[name]:
                least = min(range(len(members)), key=lambda place: used[_source(members[place][1]).piece.asset_id])
                key, candidate = members.pop(least)
                used[_source(candidate).piece.asset_id] += 1
                yield key, candidate


def _group(candidate: Candidate) -> tuple[str, ...]:
    one = _source(candidate)
    kind = candidate.kind if isinstance(candidate, Draft) else QuestionKind.PASSAGE
    return kind, one.piece.modality, one.piece.language or "", str(PurePath(one.paths[0]).parent)


def _source(candidate: Candidate) -> IndexedPiece:
    return candidate.source if isinstance(candidate, Draft) else candidate


def _key(candidate: Candidate) -> str:
    """The id of what a candidate would become: the same in every run."""
    asked = candidate.question if isinstance(candidate, Draft) else "model"
    name = f"{_source(candidate).piece.id}/{asked}"
    return f"own-{hashlib.blake2b(name.encode('utf-8', 'surrogatepass'), digest_size=6).hexdigest()}"


def _written(writer: Writer | None, one: IndexedPiece, seed: int) -> Draft | Drop:
    assert writer is not None  # noqa: S101 - pieces are candidates for a writer only
    return writer.write(one, seed)


def _question(key: str, draft: Draft, root: Path) -> Question:
    piece = draft.source.piece
    start, end = piece.locator.start, piece.locator.end
    return Question(
        id=key,
        text=draft.question,
        answers=(draft.answer, *draft.accepted),
        evidence=tuple(PurePath(path).relative_to(root).as_posix() for path in draft.source.paths),
        language=draft.language,
        modality=piece.modality,
        task=draft.kind,
        needs="text",
        page=piece.locator.page,
        time=None if start is None else (start, start if end is None else end),
    )


def _how(draft: Draft, seed: int, writer: Writer | None) -> dict[str, Any]:
    return {
        "by": writer.name if writer else "rules",
        "seed": seed,
        "piece": draft.source.piece.id,
        "language": draft.source.piece.language,
        "about": list(draft.keys),
        "summary": draft.summary,
    }


__all__ = ["MADE", "Drop", "Made", "QuestionFile", "Writer", "make_file", "make_questions", "root_of"]
