"""The widget's files, the demo shop, and what browsers are allowed to do with them."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from urllib.parse import urljoin

import pytest

from bot.gateway.served import STATIC
from tests.gateway.conftest import IDENTITY_SECRET, SHOP_ORIGIN, broken_database

PAGES = ("/", "/chat/frame", "/desk")
FILES = (
    "/widget.js",
    *(f"/static/{file.relative_to(STATIC)}" for file in sorted(STATIC.rglob("*.*")) if file.is_file()),
)


def policy(headers) -> dict[str, list[str]]:
    parts = (part.split() for part in headers["Content-Security-Policy"].split(";"))
    return {part[0]: part[1:] for part in parts}


class Tags(HTMLParser):
    """Every tag with its attributes, and whether a script or style has content of its own."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inline = ""
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._inside = tag if tag in ("script", "style") else ""

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        if self._inside:
            self.inline += data.strip()


@pytest.mark.parametrize("path", [*PAGES, *FILES])
async def test_a_file_is_served_with_the_strict_headers(gateway, path):
    async with gateway.session.get(gateway.url + path) as response:
        assert response.status == 200
        assert await response.read()
        allowed = policy(response.headers)
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert response.headers["Cache-Control"] == "no-cache"

    assert allowed["default-src"] == allowed["base-uri"] == ["'none'"]
    assert allowed["script-src"] == allowed["style-src"] == allowed["connect-src"] == ["'self'"]
    assert not any("unsafe" in source or "*" in source for sources in allowed.values() for source in sources)


async def test_only_the_shops_pages_may_frame_the_panel_and_nobody_the_rest(gateway):
    for path in (
        "/",
        "/widget.js",
        "/healthz",
        "/no-such-page",
        "/static/frame.html",
        "/desk",
        "/static/desk/desk.html",
    ):
        async with gateway.session.get(gateway.url + path) as response:
            assert policy(response.headers)["frame-ancestors"] == ["'none'"], path
    async with gateway.session.get(gateway.url + "/chat/frame") as response:
        assert policy(response.headers)["frame-ancestors"] == ["'self'", SHOP_ORIGIN]


async def test_the_embed_script_may_be_loaded_from_anywhere_and_nothing_else(gateway):
    for path, resource_policy in (("/widget.js", "cross-origin"), ("/chat/frame", "same-origin")):
        async with gateway.session.get(gateway.url + path) as response:
            assert response.headers["Cross-Origin-Resource-Policy"] == resource_policy


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_has_nothing_inline_and_everything_it_names_exists(gateway, path):
    async with gateway.session.get(gateway.url + path) as response:
        page = Tags(await response.text())

    assert page.inline == ""
    for tag, attributes in page.tags:
        assert not any(name == "style" or name.startswith("on") for name in attributes), (tag, attributes)
        for name in ("src", "href"):
            target = attributes.get(name) or ""
            assert not target.startswith(("javascript:", "data:", "//")), target
            if target.startswith(("/", ".")) or (target and ":" not in target and not target.startswith("#")):
                async with gateway.session.get(urljoin(gateway.url + path, target)) as response:
                    assert response.status == 200, target


async def test_a_file_that_has_not_changed_is_not_sent_again(gateway):
    of_the_chat = ("/widget.js", "/chat/config", "/chat/config?lang=ar", "/chat/frame", "/static/frame.js")
    for path in (*of_the_chat, "/static/desk/desk.js"):
        async with gateway.session.get(gateway.url + path) as response:
            seen = response.headers["ETag"]
        async with gateway.session.get(gateway.url + path, headers={"If-None-Match": seen}) as response:
            assert (response.status, await response.read(), response.headers["ETag"]) == (304, b"", seen), path
        async with gateway.session.get(gateway.url + path, headers={"If-None-Match": '"older"'}) as response:
            assert response.status == 200, path


async def test_scripts_and_styles_are_sent_without_remarks_and_packed(gateway):
    for name, media_type in (("frame.js", "text/javascript"), ("desk/desk.css", "text/css")):
        async with gateway.session.get(f"{gateway.url}/static/{name}") as response:
            assert (response.content_type, response.headers["Content-Encoding"]) == (media_type, "gzip")
            sent = await response.text()
        assert not sent.startswith("/*") and 0 < len(sent) < len((STATIC / name).read_text())


@pytest.mark.parametrize(
    "path",
    [
        "/static/none.js",
        "/static/../application.py",
        "/static/%2e%2e/application.py",
        "/static/..%2fapplication.py",
        "/static//etc/passwd",
        "/static/%00",
        "/static/",
    ],
)
async def test_nothing_beside_the_static_files_is_served(gateway, path):
    from yarl import URL

    async with gateway.session.get(URL(gateway.url + path, encoded=True)) as response:
        assert response.status in (400, 403, 404)
        assert "create_gateway" not in await response.text()


# The demo


async def test_the_demo_shop_is_there_in_demo_mode_only(start_gateway):
    gateway = await start_gateway(demo=False)

    for method, path in (("GET", "/"), ("GET", "/demo/info"), ("POST", "/demo/identity")):
        async with gateway.session.request(method, gateway.url + path, json={"email": "maria@example.com"}) as response:
            assert (response.status, response.content_type) == (404, "application/problem+json"), path
            assert (await response.json())["detail"]
    for path in ("/widget.js", "/chat/frame"):
        async with gateway.session.get(gateway.url + path) as response:
            assert response.status == 200


async def test_the_demo_page_is_told_about_the_shop_and_its_people(gateway):
    async with gateway.session.get(f"{gateway.url}/demo/info") as response:
        info = await response.json()

    assert info["shop"]["name"] == gateway.shop.name
    assert info["shop"]["hours"][0] == {"days": "Monday–Friday", "hours": "07:00–20:00"}
    assert [person["name"] for person in info["people"]] == ["Maria Santos", "John Reyes", "Aiko Tanaka"]
    assert set(info["people"][0]) == {"name", "email", "about"}


async def test_a_demo_customer_can_sign_in(gateway, demo_people):
    async with gateway.session.post(f"{gateway.url}/demo/identity", json={"email": " MARIA@example.com "}) as response:
        assert response.status == 200
        body = await response.json()

    assert body["customer"] == {"name": "Maria Santos"}
    chat = await gateway.chat(identity_token=body["token"])
    assert chat.ready["customer"] == {"name": "Maria Santos"}
    assert gateway.rows("SELECT customer_id FROM conversations") == [(demo_people["maria@example.com"].id,)]
    assert IDENTITY_SECRET not in json.dumps(body)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{oops", 400),
        (b"[]", 400),
        (b"null", 400),
        (b"{}", 400),
        (b'{"email":null}', 400),
        (b'{"email":["maria@example.com"]}', 400),
        (b'{"email":"nobody@example.com"}', 404),
        (b'{"email":""}', 404),
        (b'{"email":"\\u0000"}', 404),
        (b'{"email":"\\ud800"}', 404),
        (b'{"email":"%"}', 404),
        (b'{"email":"\' OR 1=1 --"}', 404),
        (b'{"email":"' + b"a" * 60_000 + b'"}', 404),
        (b"[" * 60_000, 400),
    ],
    ids=lambda value: ascii(value)[:40],
)
async def test_nobody_else_can(gateway, demo_people, body, status):
    async with gateway.session.post(f"{gateway.url}/demo/identity", data=body) as response:
        assert (response.status, response.content_type) == (status, "application/problem+json")
        assert (await response.json())["detail"]


async def test_signing_in_while_the_database_is_away_is_a_503(gateway):
    gateway.db.error = broken_database()

    async with gateway.session.post(f"{gateway.url}/demo/identity", json={"email": "maria@example.com"}) as response:
        assert (response.status, (await response.json())["code"]) == (503, "unavailable")


# Errors


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/no-such-page", 404),
        ("GET", "/%00", 404),
        ("GET", "/chat/no-such-page", 404),
        ("POST", "/healthz", 405),
        ("PUT", "/chat/messages", 405),
        ("DELETE", "/webhooks/rest/webhook", 405),
        ("GET", "/chat/ws", 400),
    ],
)
async def test_errors_are_problem_details(gateway, method, path, status):
    async with gateway.session.request(method, gateway.url + path) as response:
        assert (response.status, response.content_type) == (status, "application/problem+json")
        body = await response.json()
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Cache-Control"] == "no-store"
        if status == 405:
            assert response.headers["Allow"]

    assert (body["type"], body["status"]) == ("about:blank", status)
    assert body["title"]
    assert body["code"]
    assert body["detail"]


async def test_a_fault_of_ours_is_told_to_the_log_and_not_to_the_world(gateway, monkeypatch, caplog):
    from bot.gateway import pages

    monkeypatch.setattr(pages, "parse_json", lambda _: 1 / 0)

    async with gateway.session.post(f"{gateway.url}/demo/identity", json={}) as response:
        assert (response.status, response.content_type) == (500, "application/problem+json")
        text = await response.text()

    assert "internal_error" in text
    assert "division" not in text
    assert "ZeroDivisionError" in caplog.text
