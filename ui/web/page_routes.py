"""The page itself, its styles and scripts, and signing in."""

from __future__ import annotations

import math
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from ui.web.door.security import LOGIN
from ui.web.door.visitors import Door

STATIC = "/static"


def static_files() -> StaticFiles:
    """What stands in the folder ``static`` of this package."""
    return StaticFiles(directory=str(files("ui.web") / "static"))


def page_routes(door: Door) -> APIRouter:
    """``/`` and ``/login``."""
    router = APIRouter()
    folder = files("ui.web") / "static"

    @router.get("/")
    def page(request: Request, key: Annotated[str, Query(max_length=200)] = "") -> Response:
        inside = request.scope["visitor"] is not None
        if not key:
            return FileResponse(str(folder / "index.html")) if inside else RedirectResponse(LOGIN, 303)
        # The key leaves the address at once; it is not kept by the browser as the address of a page.
        response = RedirectResponse("/", 303)
        if not inside and not (door.key and door.let_in(request.scope, key, response)):
            response.headers["Location"] = LOGIN
        return response

    @router.get(LOGIN)
    def login(request: Request) -> Response:
        if request.scope["visitor"] is not None:
            return RedirectResponse("/", 303)
        if door.key:
            return FileResponse(str(folder / "shut.html"), status_code=401)
        return HTMLResponse(_form(folder, ""))

    @router.post(LOGIN)
    def sign_in(request: Request, password: Annotated[str, Form(max_length=1000)]) -> Response:
        response = RedirectResponse("/", 303)
        early = door.wait(request.scope)
        if door.key is None and door.let_in(request.scope, password, response):
            return response
        told = "Too soon after a wrong password." if early else "That is not the password."
        seconds = math.ceil(door.wait(request.scope))
        return HTMLResponse(_form(folder, f"{told} Wait {seconds} s, then try again."), 403)

    return router


def _form(folder: Traversable, told: str) -> str:
    failure = f'<p class="failure" role="alert">{told}</p>' if told else ""
    return (folder / "login.html").read_text("utf-8").replace("<!-- told -->", failure)
