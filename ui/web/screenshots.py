"""The README's pictures of the browser interface: ``python -m ui.web.screenshots FOLDER``.

A server is started on an empty data folder, the sample is indexed from the page as a person would, and each state is
photographed. Needs the development dependency playwright, and a Chromium.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

INVOICE = "How much is the total due on the invoice from Brightwater Cycles?"
TYRE = "What pressure should I pump the tyre to?"
_DESK = (1360, 860)
_PHONE = (390, 844)
_SLOW = 60_000


@contextmanager
def started(folder: Path, *options: str) -> Iterator[str]:
    """The address of a server that keeps its data in a folder."""
    config = folder / "config.toml"
    config.touch()
    environment = {**os.environ, "HAYSTACK_DATA_DIR": str(folder / "data"), "HAYSTACK_CONFIG_FILE": str(config)}
    command = [sys.executable, "-P", "-m", "ui.cli", "ui", "--port", "0", "--no-browser", *options]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        try:
            yield process.stdout.readline().split()[1]
        finally:
            process.terminate()


def _page(browser: Browser, address: str, size: tuple[int, int], dark: bool = False) -> Page:
    width, height = size
    page = browser.new_page(
        viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", device_scale_factor=2
    )
    page.goto(address)
    page.wait_for_selector("body[data-ready=yes]", timeout=_SLOW)
    return page


def _settled(page: Page) -> None:
    """Wait until every picture in view is drawn."""
    for _ in range(100):
        page.wait_for_timeout(100)
        if page.evaluate("[...document.images].every((one) => one.complete || one.loading === 'lazy' && "
                         "one.getBoundingClientRect().top > innerHeight)"):  # fmt: skip
            break
    page.wait_for_timeout(400)


def _asked(page: Page, question: str) -> None:
    page.fill("#question", question)
    page.keyboard.press("Enter")
    page.wait_for_selector(".turn:last-child .answer:not(:empty)", timeout=_SLOW)
    _settled(page)


def photograph(browser: Browser, address: str, folder: Path) -> None:
    """Every state, as PNG files in a folder."""

    def take(page: Page, name: str) -> None:
        page.screenshot(path=folder / f"{name}.png")

    page = _page(browser, address, _DESK)
    take(page, "start")
    page.click("#start-sample")
    page.wait_for_selector("#start-progress .current", timeout=_SLOW)
    page.wait_for_timeout(1500)
    take(page, "indexing")
    page.wait_for_selector("body[data-view=ask] .examples", timeout=_SLOW)
    take(page, "welcome")
    _asked(page, INVOICE)
    _asked(page, TYRE)
    page.click("#side-toggle")
    page.wait_for_selector(".talks .name")
    take(page, "answer")
    page.click(".turn:last-child .chip")
    page.wait_for_timeout(1500)
    take(page, "clip")
    page.keyboard.press("Escape")
    page.click(".turn:first-child .chip")
    page.wait_for_selector("#stage .spot", timeout=_SLOW)
    take(page, "page")
    page.keyboard.press("Escape")
    page.click("#tab-library")
    page.wait_for_selector(".tile")
    _settled(page)
    take(page, "library")
    page.click("#tab-evaluation")
    page.click("#eval-start")
    page.wait_for_selector(".run", timeout=_SLOW)
    _settled(page)
    take(page, "evaluation")
    page.close()
    for name, size, dark in (("dark", _DESK, True), ("phone", _PHONE, False)):
        page = _page(browser, address, size, dark)
        _asked(page, INVOICE)
        take(page, name)
        page.close()


def main() -> None:
    """Make the pictures in the folder named on the command line."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as base, started(Path(base)) as address, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        photograph(browser, address, folder)
        browser.close()


if __name__ == "__main__":
    main()
