"""Contents that files had and have no more: found until what the files have now is read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.record.manifest import AssetRow, AssetState, FileRow


@dataclass(frozen=True, slots=True)
class FormerContents:
    """Asset ids of former contents, each with those that came in its place, where that is known."""

    following: Mapping[str, frozenset[str] | None]
    """None for what a run left behind that was killed."""

    @classmethod
    def of(
        cls, assets: Mapping[str, AssetRow], files: Mapping[str, Sequence[FileRow]], known: Mapping[Path, FileRow]
    ) -> FormerContents:
        """What is stored and no file has, of files that are there: `files` by asset now, `known` by path before."""
        now = {row.path: key for key, rows in files.items() for row in rows}
        before: dict[str, list[Path]] = defaultdict(list)
        for row in known.values():
            if row.asset_id and row.verdict is None:
                before[row.asset_id].append(row.path)
        unused = [key for key, row in assets.items() if key not in files and row.state is AssetState.DONE]
        replaced = {key: frozenset(now[path] for path in before[key] if path in now) for key in unused if key in before}
        left = dict.fromkeys(key for key in unused if key not in before)
        return cls({**left, **{key: following for key, following in replaced.items() if following}})

    def keys(self) -> Collection[str]:
        """Their ids."""
        return self.following.keys()

    def still_needed(self, assets: Mapping[str, AssetRow]) -> list[str]:
        """Those whose followers are not all read yet."""
        read = {key for key, row in assets.items() if row.state is AssetState.DONE}
        return [key for key, following in self.following.items() if following is None or not following <= read]
