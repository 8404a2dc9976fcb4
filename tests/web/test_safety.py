"""Attacks on the browser interface: nothing gets through."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from eval.sample import documents as sample_documents
from haystack_agent.index_location import IndexLocation
from haystack_agent.media import MEDIA
from ingest.indexing import index
from ingest.pipeline import IndexOptions
from tests.support.openai_server import Say, serving
from tests.support.webserver import Client, running

INVOICE = "How much is the total due on the invoice from Brightwater Cycles?"
QUESTION = {"index": "default", "text": INVOICE}
EVERYWHERE = "0.0.0.0"  # noqa: S104 - that is what is tested
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("safety")
    files = base / "files"
    files.mkdir()
    sample_documents.write_invoice(files / "invoice.pdf")
    (files / "page.html").write_text("<h1>Opening hours</h1><script>alert(1)</script><p>Nine to five.</p>", "utf-8")
    (base / "secret.txt").write_text("the secret", "utf-8")
    index(IndexLocation(base / "data" / "indexes" / "default"), [files], IndexOptions(workers=1))
    return base


@pytest.fixture(scope="module")
def address(base: Path) -> Iterator[str]:
    with running(base) as address:
        yield address


@pytest.fixture
def client(address: str) -> Client:
    client = Client(address)
    client.get("/")
    return client


def cards(client: Client, text: str = INVOICE) -> list[dict[str, Any]]:
    found = client.post("/api/search", {"index": "default", "text": text}).json()["cards"]
    assert isinstance(found, list)
    return found


def test_every_answer_carries_the_headers(client: Client) -> None:
    asset = cards(client)[0]["asset"]
    for path in ("/", "/api/state", "/static/app.js", "/nothing", f"/media/default/{asset}/still.jpg", "/gradio/"):
        headers = client.get(path).headers
        assert "script-src 'self';" in headers["content-security-policy"], path
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "server" not in headers


CLIMBS = (*(step * 8 + "{}" for step in ("../", "%2e%2e/", "..%2f", "....//", "%252e%252e%252f")), "/{}")
PLACES = (
    "/static/{}",
    "/media/default/{}/still.jpg",
    "/media/default/{}/clip",
    "/media/{}/x/still.jpg",
    "/media/default/{}",
    "/api/places/default/{}",
    "/api/browse/{}",
    "/api/library/{}",
    "/api/progress/{}",
    "/api/conversations/{}",
    "/api/conversations/{}/export.md",
    "/gradio/{}",
    "/gradio/file={}",
    "/gradio/gradio_api/file={}",
    "/gradio/gradio_api/call/ask/{}",
    "/{}",
)


def test_the_page_gets_the_names_of_media_from_the_table(client: Client) -> None:
    told = client.get("/api/state").json()["media"]
    assert [(one["value"], one["one"], one["many"], one["title"]) for one in told] == [
        (row.modality.value, row.noun.one, row.noun.many, row.title) for row in MEDIA
    ]


@pytest.mark.parametrize("place", PLACES)
def test_no_path_leads_out(client: Client, base: Path, place: str) -> None:
    for climb in CLIMBS:
        target = climb.format(str(base / "secret.txt").lstrip("/"))
        for path in (place.format(target), place.format(quote(target, safe=""))):
            reply = client.get(path)
            assert b"the secret" not in reply.body, path
            assert reply.status in {400, 404, 405, 409, 422} or reply.json() == {"running": False}, path


def test_conversation_ids_cannot_climb(client: Client) -> None:
    for identity in ("..", "a" * 31, "A" * 32, "%2e%2e%2f" * 4, "x" * 5000):
        assert client.get(f"/api/conversations/{identity}").status in {400, 404, 405, 414, 422}
        assert client.ask("DELETE", f"/api/conversations/{identity}").status in {400, 404, 405, 414, 422}


def test_gradio_s_other_routes_are_closed(client: Client) -> None:
    api = "gradio_api/"
    for path in ("config", "info", f"{api}info", f"{api}upload", f"{api}proxy=http://example.org", "theme.css"):
        assert client.get(f"/gradio/{path}").status == 404
        assert client.post(f"/gradio/{path}").status == 404
    joining = {"data": [QUESTION], "fn_index": 0, "session_hash": "x"}
    assert client.post("/gradio/gradio_api/queue/join", joining).status == 404
    assert client.post("/gradio/gradio_api/call/ask", {"data": [QUESTION], "session_hash": "x"}).status == 422


def test_only_drawn_pictures_of_the_index_are_served(client: Client, base: Path) -> None:
    found = cards(client)
    page = client.get(f"/media/default/{found[0]['asset']}/still.jpg?page={found[0]['page']}")
    assert page.headers["content-type"] == "image/jpeg" and page.body[:3] == b"\xff\xd8\xff"
    html = next(card for card in cards(client, "opening hours") if card["name"] == "page.html")
    for kind in ("still.jpg", "frame.jpg", "clip", ""):
        assert client.get(f"/media/default/{html['asset']}/{kind}").status == 404
        assert client.get(f"/media/default/{found[0]['asset']}/{kind}?side=9999").status in {404, 422}
    assert client.get(f"/media/default/{'0' * 32}/still.jpg").status == 404


def test_a_file_that_was_swapped_is_not_served(base: Path, tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    sample_documents.write_invoice(files / "invoice.pdf")
    index(IndexLocation(tmp_path / "data" / "indexes" / "default"), [files], IndexOptions(workers=1))
    with running(tmp_path) as address:
        client = Client(address)
        asset = cards(client)[0]["asset"]
        assert client.get(f"/media/default/{asset}/still.jpg").status == 200
        (files / "invoice.pdf").unlink()
        (files / "invoice.pdf").symlink_to(base / "secret.txt")
        assert client.get(f"/media/default/{asset}/still.jpg").status == 404


def test_names_of_other_sites_are_refused(client: Client) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:7864"):
        assert client.get("/api/state", Host=host).status in {400, 421}
    port = urlsplit(client.address).port
    for host in (f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}"):
        assert client.get("/api/state", Host=host).status == 200


def test_other_sites_cannot_change_anything(client: Client) -> None:
    for origin in ("http://evil.example", "null", "http://127.0.0.1:1", client.address.rstrip("/") + ".evil.example"):
        for path in ("/api/index/start", "/api/open", "/gradio/gradio_api/call/ask", "/api/picture", "/login"):
            assert client.post(path, {}, Origin=origin).status == 403, (origin, path)
    assert client.post("/api/index/start", {}, Sec_Fetch_Site="cross-site").status == 403
    assert client.post("/api/index/start", {}, Sec_Fetch_Site="").status == 403
    assert client.post("/api/search", {"index": "default"}, Origin=client.address.rstrip("/")).status == 200


def test_nobody_reads_another_s_conversation_or_answer(address: str) -> None:
    mine, other = Client(address), Client(address)
    mine.get("/"), other.get("/")
    assert mine.cookie != other.cookie
    told = mine.told(QUESTION)
    conversation = told[0]["conversation"]
    assert mine.get(f"/api/conversations/{conversation}").status == 200
    assert [one["id"] for one in mine.get("/api/conversations").json()] == [conversation]
    assert other.get("/api/conversations").json() == []
    for suffix in ("", "/export.md"):
        assert other.get(f"/api/conversations/{conversation}{suffix}").status == 400
    assert other.ask("PATCH", f"/api/conversations/{conversation}", {"title": "x"}).status == 400
    other.ask("DELETE", f"/api/conversations/{conversation}")
    assert mine.get(f"/api/conversations/{conversation}").status == 200
    assert other.told({**QUESTION, "conversation": conversation})[0]["kind"] == "error"
    event = mine.begin(QUESTION)
    assert other.get(f"/gradio/gradio_api/call/ask/{event}").status == 404
    assert b"339.40" in mine.get(f"/gradio/gradio_api/call/ask/{event}").body


@pytest.mark.parametrize("other", ['settings={"a":1}', "csrf@x=1", "name=Jos\xe9", "a[b]=c", ";;=;"])
def test_cookies_of_other_servers_here_do_no_harm(address: str, other: str) -> None:
    known = Client(address)
    known.get("/")
    for cookie in (f"{other}; {known.cookie}", f"{known.cookie}; {other}"):
        assert "set-cookie" not in Client(address, cookie).get("/").headers


def test_an_odd_host_is_refused(client: Client) -> None:
    assert client.get("/", Host="[::1").status == 421


def test_files_kept_are_for_the_owner_s_eyes(client: Client, base: Path) -> None:
    client.told(QUESTION)
    kept = list((base / "data" / "web" / "conversations").rglob("*.json"))
    assert kept
    assert all(path.stat().st_mode & 0o077 == 0 for path in kept)
    assert client.cookie.partition("=")[2] not in "".join(map(str, kept))


@pytest.mark.parametrize("data", [SVG, b"<html>", b"%PDF-1.7", b"", b"\x89PNG\r\n\x1a\n" + b"\0" * 100])
def test_what_is_no_picture_is_refused(client: Client, data: bytes) -> None:
    reply = client.ask("POST", "/api/picture", raw=data)
    assert reply.status == 400
    assert "picture" in reply.json()["error"]


def test_uploads_and_questions_have_a_limit(client: Client) -> None:
    assert client.ask("POST", "/api/picture", raw=b"x" * (20 * 2**20 + 1)).status == 413
    assert client.ask("POST", "/api/search", raw=b"x" * 300_000).status == 413
    told = client.told({**QUESTION, "text": "x" * 3000})
    assert told[0]["kind"] == "error"
    place = urlsplit(client.address)
    with socket.create_connection((place.hostname, place.port), timeout=20) as endless:
        head = f"POST /api/picture HTTP/1.1\r\nHost: {place.netloc}\r\nCookie: {client.cookie}\r\n"
        endless.sendall(f"{head}Sec-Fetch-Site: same-origin\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
        with pytest.raises(OSError):
            for _ in range(200):
                endless.sendall(chunk)
    assert client.get("/api/state").status == 200


def test_strange_questions_are_answered_in_words(client: Client) -> None:
    for question in ({}, {"index": "../x", "text": "a"}, {**QUESTION, "mode": "x"}, {**QUESTION, "extra": 1},
                     {**QUESTION, "filters": {"after": "never"}}, {**QUESTION, "picture": "0" * 32},
                     {**QUESTION, "mode": "direct"}, {**QUESTION, "earlier": "x"}):  # fmt: skip
        kinds = [told["kind"] for told in client.told(question)]
        assert "error" in kinds and kinds[-1] == "end", question
    assert client.post("/gradio/gradio_api/call/ask", {"data": []}).status in {200, 400, 422, 500}
    assert client.get("/api/state").status == 200


def test_other_machines_need_the_password(base: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ui.cli", "ui", "--host", EVERYWHERE, "--no-browser"]
    refused = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert refused.returncode == 2 and "--password" in refused.stderr
    (tmp_path / "data").symlink_to(base / "data")
    options = ("--host", EVERYWHERE, "--index", str(tmp_path / "own"))
    with running(tmp_path, *options, HAYSTACK_UI_PASSWORD="open sesame") as url:
        client = Client(url.replace(EVERYWHERE, "127.0.0.1"))
        assert client.get("/").status == 303
        nothing = "0" * 32
        pages = ("/api/state", "/api/conversations", f"/media/default/{nothing}/still.jpg")
        for path in (*pages, f"/gradio/gradio_api/call/ask/{nothing}"):
            assert client.get(path).status == 401, path
        assert client.post("/gradio/gradio_api/call/ask", {"data": [QUESTION]}).status == 401
        form = {"Content_Type": "application/x-www-form-urlencoded"}
        assert client.ask("POST", "/login", raw=b"password=wrong", **form).status == 403
        assert client.ask("POST", "/login", raw=b"password=open+sesame", **form).status == 403, "guessing takes time"
        time.sleep(1.1)
        assert client.ask("POST", "/login", raw=b"password=open+sesame", **form).status == 303
        state = client.get("/api/state").json()
        assert state["local"] is False and state["home"] == ""
        assert client.post("/api/index/start", {"index": state["index"], "folders": ["/etc"]}).status == 400
        assert client.post("/api/index/folders", {"folder": "/"}).status == 400
        assert client.post("/api/index/estimate", {"folder": "/etc"}).status == 400
        assert client.post("/api/open", {"index": "default", "asset": "0" * 32, "piece": "0" * 36}).status == 400
        assert Client(client.address).get("/api/state").status == 401


def test_twenty_people_do_not_block_each_other(base: Path, tmp_path: Path) -> None:
    """A model that takes two seconds for an answer is asked by twenty at once: nobody waits for another."""
    (tmp_path / "data").mkdir()
    index(IndexLocation(tmp_path / "data" / "indexes" / "default"), [base / "files"], IndexOptions(workers=1))
    answer = Say(("The total ", "is ", "£339.40 ", "[1]."), pause=0.5)
    with serving(answer) as model, running(tmp_path, "--model", "m", "--model-url", model.url) as address:
        people = [Client(address) for _ in range(20)]
        for one in people:
            one.get("/")
        people[0].told({**QUESTION, "mode": "direct"})  # whatever is loaded at the first question

        def chat(one: Client) -> tuple[float, str]:
            began = time.monotonic()
            told = one.told({**QUESTION, "mode": "direct"})
            done = next(each for each in told if each["kind"] == "done")
            return time.monotonic() - began, done["answer"]["text"]

        with ThreadPoolExecutor(20) as crowd:
            began = time.monotonic()
            answers = list(crowd.map(chat, people))
            whole = time.monotonic() - began
        assert {text for _, text in answers} == {"The total is £339.40 [1]."}
        assert median(seconds for seconds, _ in answers) < 15
        assert whole < 20, "one after another it would be more than thirty"
        assert all(len(one.get("/api/conversations").json()) == 1 for one in people[1:])
