"""What axe-core finds on a page: whatever keeps somebody from reading or reaching a part of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.paths import ROOT

_HERE = ROOT / "tests" / "npm"
_SCRIPT = _HERE / "node_modules" / "axe-core" / "axe.min.js"
NEEDS_AXE = pytest.mark.skipif(
    not _SCRIPT.exists(),
    reason="axe-core is not installed: run `npm ci --ignore-scripts` in tests/npm (make test does)",
)
_TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_COLOURS = ("color-contrast", "link-in-text-block")
_OPTIONS: dict[str, Any] = {
    "runOnly": {"type": "tag", "values": _TAGS},
    "resultTypes": ["violations", "incomplete"],
    "rules": {"target-size": {"enabled": True}},  # of WCAG 2.2, and therefore off unless asked for
}
_UNDECIDABLE = frozenset(("video-caption", "shortTextContent", "elmPartiallyObscuring"))
"""Clips are the user's own: what their subtitles say stands beside them. Of a lone sign axe cannot tell if it is text:
"–" for a figure that is not known, and the number in a citation, whose colours other numbers have too. A long passage
that is cut short, or that one scrolls through, reaches in axe's eyes over what follows it."""
_RUN = """async (options) => {
  const { violations, incomplete } = await axe.run(document, options);
  const told = (sure) => ({ id, nodes }) => nodes.map((node) => ({
    id, sure, html: node.html.slice(0, 200), target: node.target.join(' '), why: node.failureSummary,
    keys: [...node.any, ...node.all, ...node.none].map(({ data }) => data?.messageKey ?? ''),
  }));
  return [...violations.flatMap(told(true)), ...incomplete.flatMap(told(false))];
}"""


def faults(page: Any) -> list[str]:
    """Everything that breaks a rule of WCAG 2.2 A or AA or a best practice, or that axe could not decide."""
    return _run(page, _OPTIONS)


def colour_faults(page: Any) -> list[str]:
    """The same by the rules of colours alone, for a page whose other faults are known."""
    return _run(page, {**_OPTIONS, "runOnly": {"type": "rule", "values": _COLOURS}, "rules": {}})


def _run(page: Any, options: dict[str, Any]) -> list[str]:
    if not page.evaluate("'axe' in window"):
        page.evaluate(_SCRIPT.read_text("utf-8"))  # not as a script of the page: its policy allows none but its own
    found = page.evaluate(_RUN, options)
    return [_told(one) for one in found if one["sure"] or _UNDECIDABLE.isdisjoint((one["id"], *one["keys"]))]


def _told(one: dict[str, Any]) -> str:
    rule = one["id"] if one["sure"] else f"{one['id']} (undecided)"
    return f"{rule}: {one['target']}: {one['html']}: {one['why']} {one['keys']}"
