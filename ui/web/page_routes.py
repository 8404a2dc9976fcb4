"""The page itself, its styles and scripts, and signing in."""

from __future__ import annotations

from importlib.resources import files
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import FileResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from ui.web.visitors import Door

STATIC = "/static"


def static_files() -> StaticFiles:
    """What stands in the folder ``static`` of this package."""
    return StaticFiles(directory=str(files("ui.web") / "static"))


def page_routes(door: Door) -> APIRouter:
    """``/`` and ``/login``."""
    router = APIRouter()
    folder = files("ui.web") / "static"

    @router.get("/")
    def page() -> Response:
        return FileResponse(str(folder / "index.html"))

    @router.get("/login")
    def login(request: Request) -> Response:
        if door.is_inside(request.scope["visitor"]):
            return RedirectResponse("/", 303)
        return FileResponse(str(folder / "login.html"))

    @router.post("/login")
    def sign_in(request: Request, password: Annotated[str, Form(max_length=1000)]) -> Response:
        if door.sign_in(request.scope["visitor"], password):
            return RedirectResponse("/", 303)
        return FileResponse(str(folder / "login-wrong.html"), status_code=403)

    return router
