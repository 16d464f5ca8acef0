"""Nobody else on this machine, and no page of another origin, gets in."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from bot.local_slack.manifest import AppManifest
from tests.local_slack.conftest import Place, place_in


@pytest.fixture
async def browser() -> aiohttp.ClientSession:  # type: ignore[misc]
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield session


async def test_the_link_works_once_and_becomes_a_cookie(
    tmp_path: Path, manifest: AppManifest, browser: aiohttp.ClientSession
) -> None:
    async with place_in(tmp_path, manifest) as place:
        url = place.running.url
        async with browser.get(f"{url}/") as answer:
            assert answer.status == 403
            assert "switchboard up" in await answer.text()
        async with browser.get(place.running.ready["open"], allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/")
            assert "HttpOnly" in answer.headers["Set-Cookie"]
            assert "SameSite=Strict" in answer.headers["Set-Cookie"]
        async with browser.get(f"{url}/") as answer:
            assert answer.status == 200
            assert answer.headers["Content-Security-Policy"].startswith("default-src 'self';")
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
        async with aiohttp.ClientSession() as thief, thief.get(place.running.ready["open"]) as answer:
            assert answer.status == 403
        async with browser.get(place.running.ready["open"], allow_redirects=False) as answer:
            assert answer.status == 303  # Clicked again by whoever is in already.
    async with (
        place_in(tmp_path, manifest) as place,
        browser.get(f"{place.running.url}/person/workspace") as answer,
    ):
        assert answer.status == 200


@pytest.mark.parametrize("path", ["/", "/index.html", "/person/workspace", "/person/events", "/files/F1/x"])
async def test_nothing_of_the_page_is_served_without_cookie_or_key(place: Place, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Cookie": "workspace=wrong"}):
        async with aiohttp.ClientSession() as http, http.get(place.running.url + path, headers=headers) as answer:
            assert answer.status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:80"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"},
    ],
)
@pytest.mark.parametrize("path", ["/person/workspace", "/api/auth.test", "/", "/person/events"])
async def test_other_hosts_and_origins_are_refused_even_with_the_key(
    place: Place, headers: dict[str, str], path: str
) -> None:
    async with place.http.get(place.running.url + path, headers=headers) as answer:
        assert answer.status == 403
        assert (await answer.json())["error"] in {"bad_host", "bad_origin"}


async def test_the_own_origin_is_welcome_by_either_name(place: Place) -> None:
    port = urlsplit(place.running.url).port
    for host in (f"127.0.0.1:{port}", f"localhost:{port}"):
        headers = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
        async with place.http.get(f"{place.running.url}/person/workspace", headers=headers) as answer:
            assert answer.status == 200


@pytest.mark.parametrize("path", ["/../server.py", "/%2e%2e/server.py", "/..%2fserver.py", "/nope", "/%00"])
async def test_only_the_pages_own_files_are_served(place: Place, path: str) -> None:
    async with place.http.get(place.running.url + path) as answer:
        assert answer.status == 404


async def test_it_listens_on_this_machine_only(place: Place) -> None:
    assert urlsplit(place.running.url).hostname == "127.0.0.1"
    assert place.running.url == place.running.workspace.base_url
