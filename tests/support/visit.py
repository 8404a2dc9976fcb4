"""A person at a browser: a real one, that notes every request and every error."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
NEEDS_CHROMIUM = pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium")
_SLOW = 60_000


@contextmanager
def launched() -> Iterator[Any]:
    """A browser without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Visit:
    """A page in a browser of its own that notes every request and every error."""

    def __init__(self, browser: Any, address: str, ready: str = "body[data-ready=yes]", **options: Any) -> None:
        self.context = browser.new_context(**{"viewport": {"width": 1360, "height": 860}, **options})
        self.page = self.context.new_page()
        self.address = address.partition("?")[0]
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.set_default_timeout(_SLOW)
        self.page.goto(address)
        self.page.wait_for_selector(ready)

    def ask(self, question: str) -> None:
        before = self.page.locator(".turn").count()
        self.page.fill("#question", question)
        self.page.press("#question", "Enter")
        self.page.locator(".turn").nth(before).locator(".answer:not(:empty)").wait_for()
        self.page.wait_for_selector("#send[aria-label=Ask]")

    def text(self, selector: str) -> str:
        return str(self.page.locator(selector).last.inner_text())

    def pixels(self, selector: str) -> Image.Image:
        return Image.open(BytesIO(self.page.locator(selector).first.screenshot())).convert("RGB")

    def leave(self) -> None:
        """Nothing went wrong unseen, and no request left the machine."""
        strange = [url for url in self.requests if not url.startswith((self.address, f"blob:{self.address}"))]
        assert not strange
        assert not self.errors
        assert self.page.evaluate("window.hacked") is None
        self.context.close()
