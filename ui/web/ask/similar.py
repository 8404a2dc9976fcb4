"""Places like one that was found: by how it looks where the index sees, else by its words."""

from __future__ import annotations

from functools import partial

from haystack_agent.asking import PictureAsked, Request
from haystack_agent.errors import UsageError
from haystack_agent.media import PlaceOf, medium_of
from haystack_agent.records import Evidence
from ui.web.state.drawing_lane import Sketch
from ui.web.state.index_hub import OpenIndex
from ui.web.state.picture_desk import decoded
from ui.web.state.workspace import Workspace

_SHOWN = 12
_WORDS = 60
_SIDE = 1600


async def similar(workspace: Workspace, opened: OpenIndex, asset: str, identity: str) -> list[Evidence]:
    """The places most like one, itself left out.

    Raises:
        UsageError: it is not in the index any more, or there is nothing to go by.
    """
    hub = workspace.hub
    pieces = await hub.searching(partial(opened.live.store.fetch, [asset]))
    piece = next((one.piece for one in pieces if one.piece.id == identity), None)
    if piece is None:
        raise UsageError("This place is not in the index any more.")
    if opened.live.sees and medium_of(piece.modality).place is PlaceOf.REGION:
        path, media_type = opened.catalogue.file(asset)
        picture = decoded(await workspace.large.jpeg(Sketch(path, media_type, _SIDE)))
        request = Request("", _SHOWN + 1, as_asked=True, picture=PictureAsked(picture))
    else:
        meta = piece.meta
        words = " ".join((meta.title, meta.caption, piece.heading, piece.text, *meta.keywords, meta.place)).split()
        if not words:
            raise UsageError("There are no words in this place to look for similar ones by.")
        request = Request(" ".join(words[:_WORDS]), _SHOWN + 1, as_asked=True)
    found = await hub.searching(lambda: opened.live.engine.find(request))
    return [one for one in found.evidence if one.piece.asset_id != asset or one.piece.id != identity][:_SHOWN]
