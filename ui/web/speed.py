"""How soon the page shows something: ``python -m ui.web.speed INDEX QUESTIONS``.

INDEX is an index, QUESTIONS a folder with a `questions.jsonl` about it. Each question is typed into a real browser, and
sent once more without one: the difference is the browser's share. Needs the development dependency playwright.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
import urllib.request
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING

from eval.questions import read_questions
from ui.web.screenshots import started

if TYPE_CHECKING:
    from playwright.sync_api import Page

_ASKED = """(text) => new Promise((resolve) => {
  const before = document.querySelectorAll("#cards .card, .rail .empty").length && document.querySelector("#cards");
  const field = document.getElementById("question");
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  const began = performance.now();
  const seen = new MutationObserver(() => {
    if (!document.querySelector("#rail .card") || document.querySelector("#cards") === before) return;
    seen.disconnect();
    requestAnimationFrame(() => resolve(performance.now() - began));
  });
  seen.observe(document.getElementById("rail"), { childList: true, subtree: true });
  field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
})"""
_BASE = "gradio/gradio_api/call/ask"


def in_browser(page: Page, question: str) -> float:
    """Milliseconds from Enter to the frame in which the first evidence is drawn."""
    shown: float = page.evaluate(_ASKED, question)
    page.wait_for_selector("#send[aria-label=Ask]")
    return shown


def by_server(page: Page, key: str, question: str) -> float:
    """Milliseconds until the server has told what it found to a program that has the page's cookie."""
    address = f"{page.evaluate('location.origin')}/"
    [cookie] = page.context.cookies(address)
    payload = {"index": key, "text": question, "conversation": "", "mode": "extractive", "filters": {}}
    known = {"Cookie": f"{cookie['name']}={cookie['value']}"}
    headers = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin", **known}
    began = time.perf_counter()
    sent = urllib.request.Request(address + _BASE, json.dumps({"data": [payload]}).encode(), headers)  # noqa: S310
    with urllib.request.urlopen(sent) as response:  # noqa: S310 - our own server
        event = json.load(response)["event_id"]
    followed = urllib.request.Request(f"{address}{_BASE}/{event}", headers=known)  # noqa: S310
    found = 0.0
    with urllib.request.urlopen(followed) as response:  # noqa: S310
        for line in response:
            if not found and b'"found"' in line:
                found = (time.perf_counter() - began) * 1000
    return found


def measure(index: str, questions: list[str]) -> dict[str, object]:
    """Seconds until the page is ready, and milliseconds until the first evidence, with the shares of both sides."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with (
        tempfile.TemporaryDirectory() as base,
        sync_playwright() as play,
        started(Path(base), "--index", index) as address,
    ):
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1360, "height": 860})
        began = time.perf_counter()
        page.goto(address)
        page.wait_for_selector("body[data-ready=yes]")
        ready = time.perf_counter() - began
        page.wait_for_selector(".examples button")  # the server has looked through the files
        key = page.evaluate("fetch('/api/state').then((told) => told.json()).then((told) => told.index)")
        whole, server = [], []
        for question in questions:
            whole.append(in_browser(page, question))
            server.append(by_server(page, key, question))
        browser.close()
    return {
        "page_ready_s": round(ready, 2),
        "first_question_ms": round(whole[0]),
        "median_ms": round(median(whole)),
        "p95_ms": round(quantiles(whole, n=20)[-1]),
        "server_median_ms": round(median(server)),
        "browser_median_ms": round(median(a - b for a, b in zip(whole, server, strict=True))),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("index")
    parser.add_argument("questions", type=Path)
    options = parser.parse_args()
    questions = [one.text for one in read_questions(options.questions)]
    print(json.dumps(measure(str(Path(options.index).resolve()), questions)))  # noqa: T201


if __name__ == "__main__":
    main()
