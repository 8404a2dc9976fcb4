"""Filters as people say them."""

from __future__ import annotations

from haystack_agent.media import MEDIA
from haystack_agent.records import Filters


def described(filters: Filters) -> str:
    """``pictures from 2026-06-01 to 2026-08-31``; what is not restricted is not said."""
    media = [medium.filtered for medium in MEDIA if medium.modality in filters.modalities]
    words = [" and ".join(media) or "files"]
    words += [f"from {filters.after:%Y-%m-%d}"] if filters.after else []
    words += [f"to {filters.before:%Y-%m-%d}"] if filters.before else []
    words += [f"of type {', '.join(sorted(filters.types))}"] if filters.types else []
    words += [f"in the language {', '.join(sorted(filters.languages))}"] if filters.languages else []
    words += [f"in {', '.join(filters.folders)}"] if filters.folders else []
    return " ".join(words)
