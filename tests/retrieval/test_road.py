"""The road of a question, traced: through which modules it goes, and how often it is planned, encoded and searched."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
QUESTION = "How much is the total due on the invoice from Brightwater Cycles?"
ROAD = {
    "ui/commands/query.py",
    "haystack_agent/asking.py",
    "haystack_agent/engine.py",
    "haystack_agent/retrieval/search.py",
    "haystack_agent/retrieval/plan.py",
    "haystack_agent/retrieval/channels/bm25.py",
    "haystack_agent/retrieval/channels/text.py",
    "haystack_agent/store/edge/store.py",
    "haystack_agent/retrieval/stages/candidates.py",
    "haystack_agent/retrieval/stages/prefer.py",
    "haystack_agent/retrieval/stages/spread.py",
    "ui/terminal/model_answers.py",
}
