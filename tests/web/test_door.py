"""Who gets in at the page: nobody who merely reaches its port, and everybody who should."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from starlette.responses import Response

from haystack_agent.errors import UsageError
from tests.support.visit import NEEDS_CHROMIUM, launched
from tests.support.webserver import Client, running, starting
from ui.serving.listening import listen
from ui.web.door.peer import Peer, peer_of, system_tells
from ui.web.door.serving import Serving, origin_of
from ui.web.door.site import Site
from ui.web.door.visitors import Door
from ui.web.door.wrong_guesses import WrongGuesses

EVERYWHERE = "0.0.0.0"  # noqa: S104 - that is what is tested
PASSWORD = "open sesame"
UNKNOWN = "0" * 32
FORM = "application/x-www-form-urlencoded"
PUBLIC = "https://media.example.org"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="users, permissions and addresses as on POSIX systems")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("door")


@pytest.fixture(scope="module")
def address(base: Path) -> Iterator[str]:
    """The page of one person, as it was printed."""
    with running(base) as address:
        yield address


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page for other machines, with a password."""
    with running(tmp_path_factory.mktemp("shared"), "--host", EVERYWHERE, HAYSTACK_UI_PASSWORD=PASSWORD) as address:
        yield address.replace(EVERYWHERE, "127.0.0.1")


def sign_in(client: Client, password: str = PASSWORD, **headers: Any) -> Any:
    form = urlencode({"password": password}).encode()
    return client.ask("POST", "/login", raw=form, Content_Type=FORM, **headers)


def plain(address: str) -> str:
    return address.partition("?")[0]


def as_nobody(address: str, *options: str) -> str:
    """What another user of this machine is answered."""
    command = ["curl", "--silent", "--include", "--globoff", *options, address]
    done = subprocess.run(command, user=65534, group=65534, cwd="/", capture_output=True, check=True, timeout=60)
    return done.stdout.decode()


AS_NOBODY = pytest.mark.skipif(
    not hasattr(os, "getuid") or os.getuid() != 0 or shutil.which("curl") is None,
    reason="only root can become another user, who needs curl",
)


@AS_NOBODY
@pytest.mark.parametrize("brings", ["nothing", "the key", "the cookie"])
def test_another_user_of_this_machine_stays_outside(address: str, brings: str) -> None:
    """Whatever that user has got hold of: browsers send a cookie to servers at all ports of a machine."""
    owner = Client(address)
    assert owner.get("/api/state").status == 200
    stolen = ("--header", f"Cookie: {owner.cookie}") if brings == "the cookie" else ()
    same = ("--header", "Sec-Fetch-Site: same-origin", "--header", "Content-Type: application/json")
    paths = ["", "login", "api/state", "api/conversations", "media/default/x/still.jpg", "static/app.js"]
    if brings == "the key":
        paths.append(f"?{address.partition('?')[2]}")
    for path in (*paths, f"gradio/gradio_api/call/ask/{UNKNOWN}"):
        answer = as_nobody(f"{plain(address)}{path}", *stolen)
        assert answer.startswith("HTTP/1.1 403") and "set-cookie" not in answer.lower(), path
    for path in ("api/index/start", "api/index/folders", "gradio/gradio_api/call/ask", "api/search"):
        sent = ("--data", '{"folder": "/", "index": "x"}')
        assert as_nobody(f"{plain(address)}{path}", *stolen, *same, *sent).startswith("HTTP/1.1 403"), path


RESET = """
import encodings.idna, os, socket, struct, sys
os.setgid(65534); os.setuid(65534)
for _ in range(60):
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.sendall(sys.argv[2].encode())
"""


@AS_NOBODY
def test_another_user_who_resets_the_connection_changes_nothing(address: str) -> None:
    owner, port = Client(address), urlsplit(address).port
    body = '{"data": [{"index": "default", "text": "Planted?"}]}'
    head = ("POST /gradio/gradio_api/call/ask HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Cookie: {owner.cookie}",
            "Sec-Fetch-Site: same-origin", "Content-Type: application/json",
            f"Content-Length: {len(body)}")  # fmt: skip
    request = "\r\n".join((*head, "", body))
    subprocess.run([sys.executable, "-c", RESET, str(port), request], check=True, timeout=60)
    time.sleep(0.5)
    assert "Planted" not in str(owner.get("/api/conversations").json())


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell whose a connection is")
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_whose_a_connection_is(host: str) -> None:
    with listen(host, 0) as listener:
        here = listener.getsockname()[:2]
        with socket.create_connection(here):
            taken, there = listener.accept()
            assert peer_of(there[:2], here) is Peer.SAME
        with taken:
            assert peer_of(there[:2], here) is Peer.OTHER, "who is gone is nobody"
        assert peer_of((host, 1), here) is Peer.OTHER


@pytest.mark.parametrize("told", [OSError(93, "no such protocol"), TimeoutError()])
def test_a_system_that_never_tells_keeps_nobody_out_and_one_that_fails_lets_nobody_in(
    monkeypatch: pytest.MonkeyPatch, told: OSError
) -> None:
    def refuse(*_: object) -> None:
        raise told

    monkeypatch.setattr(socket, "socket", refuse)
    assert not system_tells()
    assert peer_of(("127.0.0.1", 1), ("127.0.0.1", 2)) is Peer.OTHER


def test_what_comes_from_nowhere_is_nobodys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that was reset has no address; and one may come from any address of this machine."""
    monkeypatch.setattr("ui.web.door.site.system_tells", lambda: True)
    door = Door(Serving("127.0.0.1", 80, None), tmp_path)
    for client in (None, ("192.0.2.1", 5), ("127.0.0.1", 5)):
        scope: dict[str, object] = {"type": "http", "client": client, "server": ("127.0.0.1", 80), "headers": []}
        assert door.belongs_to_another(scope), client


def test_a_password_admits_who_reaches_it_from_outside_by_an_address_of_this_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("ui.web.door.site.system_tells", lambda: True)
    monkeypatch.setattr("ui.web.door.site.peer_of", lambda *_: Peer.OTHER)
    scope = {"type": "http", "client": ("127.0.0.1", 5), "server": ("127.0.0.1", 80), "headers": []}
    assert Door(Serving("127.0.0.1", 80, None), tmp_path).belongs_to_another(scope)
    assert not Door(Serving("127.0.0.1", 80, PASSWORD), tmp_path).belongs_to_another(scope)


def test_the_printed_address_lets_in_and_is_left_at_once(address: str, base: Path) -> None:
    client, key = Client(plain(address)), address.partition("?")[2]
    assert client.get("/").headers["location"] == "/login"
    opened = client.get(f"/?{key}")
    assert (opened.status, opened.headers["location"]) == (303, "/")
    attributes = opened.headers["set-cookie"].lower()
    assert "httponly" in attributes and "samesite=lax" in attributes and "secure" not in attributes
    assert opened.headers["referrer-policy"] == "no-referrer" and opened.headers["cache-control"] == "no-store"
    assert client.get("/api/state").json()["local"] is True
    assert "set-cookie" not in client.get(f"/?{key}").headers, "a browser that is inside stays who it is"
    kept = "".join(path.read_text("utf-8") for path in (base / "data").rglob("*") if path.is_file())
    assert client.cookie.partition("=")[2] not in kept and key.partition("=")[2] not in kept
    assert (base / "server.log").read_text("utf-8") == "Starting ...\n"
    files = [path for path in (base / "data" / "web" / "browsers").rglob("*") if path.is_file()]
    assert files and all(path.stat().st_mode & 0o077 == 0 for path in files)


@pytest.mark.parametrize("key", ["x", "%00", "%C3%A9", "a" * 43, "&key=", "%ff%fe"])
def test_a_wrong_key_opens_nothing(address: str, key: str) -> None:
    client = Client(plain(address))
    reply = client.get(f"/?key={key}")
    assert reply.headers.get("location") == "/login" and not client.cookie


def test_a_browser_is_known_after_a_restart_and_an_old_key_is_not(tmp_path: Path) -> None:
    with running(tmp_path) as first:
        client = Client(first)
        assert client.get("/").status == 200
    with running(tmp_path) as second:
        assert Client(plain(second), client.cookie).get("/api/state").status == 200
        assert Client(plain(second)).get(f"/?{first.partition('?')[2]}").headers["location"] == "/login"
    with running(tmp_path, HAYSTACK_UI_PASSWORD=PASSWORD) as third:
        known = Client(plain(third), client.cookie)
        assert known.get("/api/state").status == 401, "who came in by the key has not given the password"
        renewed = sign_in(known)
        assert renewed.status == 303
        assert renewed.headers["set-cookie"].split(";")[0] != client.cookie
        assert known.get("/api/state").status == 401, "the old cookie lets nobody in any more"


def test_a_program_is_let_in_as_a_browser_is_and_its_question_waits_for_the_queue(tmp_path: Path) -> None:
    """What answers is loaded behind the page: who asks at once is answered when it is there."""
    with starting(tmp_path) as (address, _):
        told = Client(address).told({"index": "default", "text": "Where is the harbour?"})
        assert [one["kind"] for one in told][-1] == "end" and "Nothing is indexed yet" in str(told)
        asked = {"data": [{"index": "default", "text": "x"}]}
        assert Client(plain(address)).post("/gradio/gradio_api/call/ask", asked).status == 401


def test_signing_in_makes_a_new_cookie(shared: str) -> None:
    planted = "A" * 43
    name = Client(shared)
    assert sign_in(name).status == 303
    victim = Client(shared, f"{name.cookie.partition('=')[0]}={planted}; haystack_visitor={planted}")
    answer = sign_in(victim)
    assert answer.status == 303 and planted not in answer.headers["set-cookie"]
    assert Client(shared, victim.cookie).get("/api/state").status == 401


def guess(door: Door, source: str, password: str, told: str = "") -> bool:
    """Whether a password opens that comes from an address, through a proxy that names another."""
    headers = [(b"x-forwarded-for", told.encode())] if told else []
    return door.let_in({"type": "http", "client": (source, 5), "headers": headers}, password, Response())


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(Serving(EVERYWHERE, 80, PASSWORD), tmp_path)


def test_all_addresses_of_this_computer_are_one() -> None:
    site = Site(Serving("0.0.0.0", 80, PASSWORD))  # noqa: S104 - nothing listens

    def client(address: str, reached: str) -> str | None:
        return site.client({"type": "http", "client": (address, 5), "server": (reached, 80), "headers": []})

    assert client("192.0.2.2", "192.0.2.2") == client("127.0.0.1", "127.0.0.1") == "127.0.0.1"
    assert client("192.0.2.3", "192.0.2.2") == "192.0.2.3"


def test_a_wrong_password_slows_only_its_own_address(door: Door) -> None:
    for _ in range(5):
        assert not guess(door, "203.0.113.7", "wrong")
    assert not guess(door, "203.0.113.7", PASSWORD), "guessing takes time"
    assert guess(door, "203.0.113.8", PASSWORD)


def test_who_sits_at_this_computer_has_one_address(door: Door) -> None:
    assert not guess(door, "127.0.0.77", "wrong")
    assert not guess(door, "127.5.0.78", PASSWORD) and not guess(door, "::1", PASSWORD)
    assert guess(door, "203.0.113.8", PASSWORD)


def test_without_a_proxy_nothing_that_one_would_say_is_believed(door: Door) -> None:
    for _ in range(5):
        assert not guess(door, "203.0.113.9", "wrong")
    assert not guess(door, "203.0.113.9", PASSWORD, told="203.0.113.5")
    assert guess(door, "203.0.113.10", PASSWORD, told="203.0.113.9")


def test_wrong_guesses_are_bounded_and_take_longer_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    guesses = WrongGuesses()
    waits = []
    for _ in range(8):
        guesses.note("192.0.2.1")
        waits.append(guesses.wait("192.0.2.1"))
    assert waits == [1, 2, 4, 8, 16, 32, 32, 32]
    guesses.note("2001:db8::1")
    assert guesses.wait("2001:db8::ffff") == 1 and guesses.wait("2001:db8:0:1::1") == 0
    assert guesses.wait("::ffff:192.0.2.1") == 32
    now += 1000
    guesses.note("192.0.2.1")
    assert guesses.wait("192.0.2.1") == 1
    for number in range(10_000):
        guesses.note(f"10.0.{number // 256}.{number % 256}")
    assert len(guesses) <= 5000


def test_behind_a_proxy(tmp_path: Path) -> None:
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    options = ("--behind-proxy", f"{PUBLIC}:443/", "--port", str(port))
    with running(tmp_path, *options, HAYSTACK_UI_PASSWORD=PASSWORD) as address:
        assert address == f"{PUBLIC}/"

        def through(client: str) -> Client:
            sends = {"X-Forwarded-For": client, "Origin": PUBLIC, "Host": "media.example.org"}
            return Client(f"http://127.0.0.1:{port}/", sends=sends)

        assert through("").get("/login").status == 400, "the proxy must tell where requests come from"
        assert sign_in(through("203.0.113.1, 203.0.113.2"), "wrong", Origin=f"http://127.0.0.1:{port}").status == 403
        assert sign_in(through("203.0.113.2"), Origin="http://media.example.org").status == 403
        assert sign_in(through("203.0.113.2"), Host="evil.example").status == 421
        wrong, right = through("198.51.100.7, 203.0.113.1"), through("203.0.113.1")
        refused = [(sign_in(wrong, "wrong").status, sign_in(right).status) for _ in range(5)]  # the wait may be over
        assert (403, 403) in refused, "it guesses, whatever it says before the comma"
        person = through("203.0.113.3")
        signed = sign_in(person)
        assert signed.status == 303 and "secure" in signed.headers["set-cookie"].lower()
        assert person.get("/api/state").json()["local"] is False, "the proxy is on this machine, people are not"


@pytest.mark.parametrize(
    "url", ["media.example.org", "ftp://x", "https://", "https://x/path", "https://u@x", "http://x:y"]
)
def test_what_is_no_site_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="--behind-proxy"):
        origin_of(url)


def test_the_origin_is_as_browsers_write_it() -> None:
    assert origin_of("https://Media.Example.org:443/") == "https://media.example.org"
    assert origin_of("http://[2001:db8::1]:8080") == "http://[2001:db8::1]:8080"
    assert origin_of("https://bücher.example") == "https://xn--bcher-kva.example"


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-X", "importtime", "-m", "ui.cli", "ui", "--no-browser", "--port", port]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=120, env=environment(tmp_path)
        )
    assert done.returncode == 2 and f"127.0.0.1:{port}" in done.stderr and "choose another --port" in done.stderr
    assert not re.search(r"\| +(fastapi|gradio|numpy)$", done.stderr, re.MULTILINE), "told before anything is loaded"


def environment(base: Path, **more: str) -> dict[str, str]:
    (base / "config.toml").touch()
    data = {"HAYSTACK_DATA_DIR": str(base / "data"), "HAYSTACK_CONFIG_FILE": str(base / "config.toml")}
    return {**os.environ, **data, **more}


def test_ctrl_c_while_starting_ends_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ui.cli", "ui", "--no-browser", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(tmp_path)
    ) as process:
        assert process.stderr is not None and process.stdout is not None
        assert process.stderr.readline() == "Starting ...\n"
        assert process.stdout.readline().startswith("Open http://")
        process.send_signal(2)
        _, errors = process.communicate(timeout=200)
    assert process.returncode == 130 and errors.strip() == "Stopped."


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as browser:
        yield browser


@NEEDS_CHROMIUM
def test_chromium_signs_in(browser: Any, shared: str) -> None:
    page = browser.new_context().new_page()
    page.goto(shared)
    page.fill("#password", "wrong")
    page.click("button")
    assert "That is not the password. Wait 1 s" in page.inner_text(".failure")
    time.sleep(1.1)
    page.fill("#password", PASSWORD)
    page.click("button")
    page.wait_for_url(shared)
    page.wait_for_selector("body[data-ready=yes]")
    page.context.close()


@NEEDS_CHROMIUM
def test_chromium_is_opened_with_the_key_where_nobody_sees_it(browser: Any, tmp_path: Path) -> None:
    opener, seen = tmp_path / "browser", tmp_path / "seen"
    opener.write_text(f'#!/bin/sh\necho "$@" > "{seen}.draft"; mv "{seen}.draft" "{seen}"\n', "utf-8")
    opener.chmod(0o700)
    command = [sys.executable, "-m", "ui.cli", "ui", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment(tmp_path, BROWSER=str(opener))
    ) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().split()[1]
            while not seen.exists():
                time.sleep(0.05)
            given = seen.read_text("utf-8").strip()
            file = tmp_path / "data" / "web" / "open.html"
            assert given == file.as_uri() and file.stat().st_mode & 0o077 == 0
            context = browser.new_context()
            page = context.new_page()
            page.goto(given)
            page.wait_for_url(plain(address))
            page.wait_for_selector("body[data-ready=yes]")
            assert page.evaluate("document.referrer") == ""
            [cookie] = context.cookies()
            again = context.new_page()
            again.goto(given)
            again.wait_for_url(plain(address))
            assert context.cookies() == [cookie], "the same visitor, whoever opens the page"
            context.close()
        finally:
            process.terminate()
            process.wait(timeout=200)
    assert not file.exists()


@NEEDS_CHROMIUM
def test_chromium_without_the_key_is_told_how_to_get_in(browser: Any, address: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(plain(address))
    assert "open that whole address in this browser" in page.inner_text("main")
    page.goto(address)
    page.wait_for_url(plain(address))
    page.wait_for_selector("body[data-ready=yes]")
    context.close()


@NEEDS_CHROMIUM
@pytest.mark.parametrize("way", ["unsafe-url", "no-referrer", "sandbox"])
def test_a_page_of_another_site_can_send_no_form(browser: Any, shared: str, way: str) -> None:
    """Whatever it says of where it comes from, and from a frame whose origin is hidden too."""
    form = (
        f"<form method=post target=_top action={shared}login><input name=password value='{PASSWORD}'></form>"
        "<script>document.forms[0].submit()</script>"
    )
    framed = f'<iframe sandbox="allow-scripts allow-forms allow-top-navigation" srcdoc="{form}"></iframe>'
    body = framed if way == "sandbox" else f"<meta name=referrer content={way}>{form}"
    context = browser.new_context()
    context.route("http://elsewhere.example/", lambda route: route.fulfill(content_type="text/html", body=body))
    page = context.new_page()
    with page.expect_response(f"{shared}login") as answer:
        page.goto("http://elsewhere.example/")
    assert answer.value.status == 403
    assert not context.cookies(shared)
    context.close()
