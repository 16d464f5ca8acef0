"""What was answered ok survives the end of the process, however it ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import stat
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.local_slack.errors import WorkspaceError
from bot.local_slack.manifest import AppManifest
from bot.local_slack.store import Store
from tests.local_slack.conftest import MANIFEST, place_in

Json = dict[str, Any]


class Process:
    """The command, as `up` runs it."""

    def __init__(self, process: asyncio.subprocess.Process, ready: Json) -> None:
        self.process = process
        self.ready = ready

    @classmethod
    async def start(cls, folder: Path, *more: str, **options: Any) -> Process:
        command = [sys.executable, "-m", "bot.local_slack", "--data-dir", str(folder), "--manifest", str(MANIFEST)]
        process = await asyncio.create_subprocess_exec(*command, *more, stdout=asyncio.subprocess.PIPE, **options)
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), 20)
        return cls(process, json.loads(line) if line else {})

    async def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return await asyncio.wait_for(self.process.wait(), 5)

    async def person(self, path: str, **body: Any) -> Json:
        headers = {"Authorization": f"Bearer {self.ready['person_key']}"}
        as_ana = {"as": self.ready["people"]["ana"]}
        async with aiohttp.ClientSession(headers=headers) as http:
            if body:
                async with http.post(f"{self.ready['url']}/person/{path}", json=as_ana | body) as answer:
                    return dict(await answer.json())
            async with http.get(f"{self.ready['url']}/person/{path}&as={as_ana['as']}") as answer:
                return dict(await answer.json())


async def test_kill_9_in_the_middle_of_posting_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    first = await Process.start(tmp_path)
    channel = first.ready["channels"]["sessions"]
    api = AsyncWebClient(first.ready["bot_token"], base_url=first.ready["api"], retry_handlers=[])
    answered: list[str] = []
    twenty = asyncio.Event()

    async def post_on_and_on() -> None:
        number = 0
        while True:
            number += 1
            answered.append((await api.chat_postMessage(channel=channel, text=f"post {number}"))["ts"])
            if number == 20:
                twenty.set()

    posting = asyncio.ensure_future(post_on_and_on())
    await asyncio.wait_for(twenty.wait(), 20)
    assert await first.end(signal.SIGKILL) == -signal.SIGKILL
    await asyncio.wait([posting])
    assert isinstance(posting.exception(), aiohttp.ClientError)

    second = await Process.start(tmp_path)
    try:
        for name in ("bot_token", "app_token", "signing_secret", "person_key", "people", "channels", "url"):
            assert second.ready[name] == first.ready[name]
        assert second.ready["open"] != first.ready["open"]
        history = await second.person(f"history?channel={channel}&limit=500")
        assert set(answered) <= {message["ts"] for message in history["messages"]}
        assert (await second.person("message", channel=channel, text="on we go"))["ts"] > max(answered)
    finally:
        assert await second.end(signal.SIGTERM) == 0


async def test_what_the_starter_needs_is_kept_for_this_user_only(tmp_path: Path) -> None:
    process = await Process.start(tmp_path / "data", "--admin-person", "Zoë")
    assert await process.end(signal.SIGINT) == 0
    kept = tmp_path / "data" / "workspace.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert json.loads(kept.read_text()) == {key: value for key, value in process.ready.items() if key != "open"}
    assert "zoë" in process.ready["people"]


async def test_the_end_of_the_lifeline_is_the_end(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    ready_reading, ready_writing = os.pipe()
    command = [sys.executable, "-m", "bot.local_slack", "--data-dir", str(tmp_path), "--manifest", str(MANIFEST)]
    more = ["--lifeline-fd", str(reading), "--ready-fd", str(ready_writing)]
    process = await asyncio.create_subprocess_exec(*command, *more, pass_fds=(reading, ready_writing))
    os.close(reading)
    os.close(ready_writing)
    with os.fdopen(ready_reading) as pipe:
        line = await asyncio.to_thread(pipe.readline)
    assert json.loads(line)["url"].startswith("http://127.0.0.1:")
    os.close(writing)
    assert await asyncio.wait_for(process.wait(), 5) == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}", "display_information"),
        ('{"display_information": {"name": "X"}, "features": {"slash_commands": [{"command": "x"}]}}', "slash"),
        ("[]", "must be a mapping"),
        (": : :", "neither JSON nor YAML"),
    ],
)
async def test_a_bad_manifest_is_named(tmp_path: Path, text: str, words: str) -> None:
    bad = tmp_path / "manifest"
    bad.write_text(text)
    command = [sys.executable, "-m", "bot.local_slack", "--data-dir", str(tmp_path), "--manifest", str(bad)]
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, errors = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 1
    assert words in errors.decode()
    assert "Traceback" not in errors.decode()


async def test_a_taken_port_is_named(tmp_path: Path, manifest: AppManifest) -> None:
    async with place_in(tmp_path / "one", manifest) as place:
        port = int(place.running.url.rsplit(":", 1)[1])
        with pytest.raises(WorkspaceError, match=f"port {port} is taken"):
            async with place_in(tmp_path / "two", manifest, port=port):
                pass
        # With port 0 a second workspace that remembers this port simply takes another.
        async with place_in(tmp_path / "three", manifest) as other:
            assert other.running.url != place.running.url


async def test_everything_a_person_sees_is_there_after_a_restart(tmp_path: Path, manifest: AppManifest) -> None:
    async with place_in(tmp_path, manifest) as place:
        ana, api = place.person(), place.api
        parent = (await api.chat_postMessage(channel=place.sessions, text="parent"))["ts"]
        await ana.say(place.sessions, "reply", thread_ts=parent)
        await api.files_upload_v2(channel=place.sessions, thread_ts=parent, filename="a.txt", content="kept")
        await api.chat_postEphemeral(channel=place.sessions, user=ana.id, text="whisper")
        await ana.post("react", channel=place.sessions, ts=parent, name="eyes")
        await api.views_publish(user_id=ana.id, view={"type": "home", "blocks": []})
        await ana.post("read", channel=place.sessions, ts=parent)
        before = [
            await ana.get("history", channel=place.sessions),
            await ana.get("thread", channel=place.sessions, ts=parent),
            await ana.post("home"),
            await ana.get("notifications"),
            (await ana.get("workspace"))["channels"],
        ]
        url, pending = place.running.url, set(place.running.workspace.state.pending)
    async with place_in(tmp_path, manifest) as place:
        ana = place.person()
        assert place.running.url == url
        assert pending <= set(place.running.workspace.state.pending)
        after = [
            await ana.get("history", channel=place.sessions),
            await ana.get("thread", channel=place.sessions, ts=parent),
            await ana.post("home"),
            await ana.get("notifications"),
            (await ana.get("workspace"))["channels"],
        ]
        assert after == before
        file = after[1]["messages"][2]["files"][0]
        async with place.http.get(place.running.url + file["url"]) as answer:
            assert await answer.text() == "kept"


async def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "workspace.db")
    db.execute("pragma user_version = 99")
    db.close()
    with pytest.raises(WorkspaceError, match="newer version"):
        await Store.open(tmp_path / "workspace.db")


async def test_a_commit_takes_everybodys_rows_or_waits_for_them(tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "x.db")

    async def note(number: int) -> None:
        store.put("kind", str(number), {"n": number})
        await store.commit()

    await asyncio.gather(*(note(number) for number in range(200)))
    store.drop("kind", "0")
    store.put("kind", "1", {"n": -1})
    await store.close()
    await store.close()
    again = await Store.open(tmp_path / "x.db")
    rows = {key: value["n"] for _, key, value in await again.rows()}
    await again.close()
    assert len(rows) == 199
    assert rows["1"] == -1
