"""The forms that ids have in addresses: anything else is refused before it is looked up."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from pydantic import StringConstraints

EVALUATION = r"^[0-9]{8}-[0-9]{6}-[0-9a-f]{4}$"
AssetId = Annotated[str, Path(pattern=r"^[0-9a-zA-Z_-]{8,100}$")]
ConversationId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
EvaluationId = Annotated[str, Path(pattern=EVALUATION)]
EvaluationIdText = Annotated[str, StringConstraints(pattern=EVALUATION)]
PieceIdText = Annotated[str, StringConstraints(pattern=r"^[0-9a-f-]{36}$")]
AssetIdText = Annotated[str, StringConstraints(pattern=r"^[0-9a-zA-Z_-]{8,100}$")]
