"""What keeps the real Claude Code from working, and what the runner is told of it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web

from runners.agents.base import AskDoor, Trouble
from runners.errors import AgentDied, AgentError, AgentLoginNeeded, AgentMissing
from tests.agents.claude.conftest import Stage
from tests.agents.claude.model import Fails, Says, calls
from tests.contract.desk import RecordingDesk

pytestmark = pytest.mark.agents

OVERLOADED = Fails(529, "overloaded_error", "Overloaded")


async def test_a_failing_service_is_trouble_and_then_a_failed_turn(stage: Stage) -> None:
    model = await stage.model(OVERLOADED, Says("Through."), OVERLOADED, OVERLOADED, Says("Again."))
    desk = RecordingDesk()
    agent = stage.agent(model, desk)
    await agent.start()
    assert (await agent.prompt("One")).last_words == "Through."
    trouble, over = desk.of(Trouble)
    assert trouble.text == "The model service fails (overloaded, 529); attempt 1 of 1 to try again"
    assert over.text == ""
    ended = await agent.prompt("Two")
    assert ended.reason == "failed"
    assert ended.detail.startswith("API Error: 529 Overloaded")
    assert "API Error" not in desk.words
    assert (await agent.prompt("Three")).last_words == "Again."


async def test_a_broken_service_fails_the_turn_in_its_own_words(stage: Stage) -> None:
    model = await stage.model(*[Fails(500, "api_error", "Internal boom")] * 2)
    agent = stage.agent(model, RecordingDesk())
    await agent.start()
    ended = await agent.prompt("One")
    assert (ended.reason, "Internal boom" in ended.detail) == ("failed", True)


async def test_a_usage_limit_puts_it_to_sleep_until_its_reset(stage: Stage) -> None:
    reset = int(time.time()) + 5400
    names = {"status": "rejected", "reset": str(reset)}
    headers = {
        f"anthropic-ratelimit-unified-{part}{name}": value for part in ("", "5h-") for name, value in names.items()
    }
    headers["anthropic-ratelimit-unified-representative-claim"] = "five_hour"
    limited = Fails(429, "rate_limit_error", "This request would exceed your account's rate limit.", headers)
    model = await stage.model(limited, limited, Says("Awake."))
    login = {"ANTHROPIC_API_KEY": "", "CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-scripted"}
    agent = stage.agent(model, RecordingDesk(), env=login)
    await agent.start()
    for _ in range(2):  # the second time, Claude Code tells the limit in words alone
        ended = await agent.prompt("One")
        assert ended.reason == "asleep"
        assert ended.until == datetime.fromtimestamp(reset, UTC)
        assert ended.detail.startswith("You've hit your 5-hour limit")
    assert (await agent.prompt("Two")).last_words == "Awake."


async def test_a_rate_limit_without_a_reset_is_sleep_of_unknown_length(stage: Stage) -> None:
    model = await stage.model(*[Fails(429, "rate_limit_error", "Slow down.", {"retry-after": "0"})] * 3)
    agent = stage.agent(model, RecordingDesk())
    await agent.start()
    ended = await agent.prompt("One")
    assert (ended.reason, ended.until) == ("asleep", None)


async def test_a_missing_login_is_named_with_its_cure(stage: Stage) -> None:
    agent = stage.agent(await stage.model(), RecordingDesk(), env={"ANTHROPIC_API_KEY": ""})
    await agent.start()
    with pytest.raises(AgentLoginNeeded, match=r"not logged in .* run `claude` once and log in"):
        await agent.prompt("One")


async def test_a_wrong_model_is_named_with_its_cure(stage: Stage) -> None:
    model = await stage.model(*[Fails(404, "not_found_error", "model: nonsense")] * 4)
    agent = stage.agent(model, RecordingDesk(), model="nonsense")
    await agent.start()
    with pytest.raises(AgentError, match=r"\(nonsense\).*Correct `model` of this agent in switchboard.toml"):
        await agent.prompt("One")
    assert model.requests[0]["model"] == "nonsense"


def program(folder: Path, *lines: str) -> str:
    """Something else in Claude Code's place."""
    path = folder / "claude-of-mine"
    path.write_text("\n".join((f"#!{sys.executable}", "import json, sys", *lines, "")))
    path.chmod(0o755)
    return str(path)


async def test_what_is_not_there_is_named_with_its_cure(stage: Stage) -> None:
    model = await stage.model()
    with pytest.raises(AgentMissing, match=r"“no-such-claude” was not found\. Install it, or correct its command"):
        await stage.agent(model, RecordingDesk(), argv=("no-such-claude",)).start()
    with pytest.raises(AgentMissing, match=r"its working folder .* does not exist"):
        await stage.agent(model, RecordingDesk(), cwd=stage.folder / "nowhere").start()


async def test_one_that_is_too_old_is_named_with_its_cure(stage: Stage) -> None:
    for told, named in (("2.0.14", "2.0.14"), ("", "of an unknown version")):
        argv = (program(
            stage.folder,
            "asked = json.loads(sys.stdin.readline())",
            f"body = {{'request_id': asked['request_id'], 'response': {{'claude_code_version': {told!r}}}}}",
            "print(json.dumps({'type': 'control_response', 'response': body}), flush=True)",
            "sys.stdin.read()",
        ),)  # fmt: skip
        with pytest.raises(AgentError, match=rf"Claude Code {named} is too old, it must be 2\.1\.330 or newer"):
            await stage.agent(await stage.model(), RecordingDesk(), argv=argv).start()


async def test_one_that_ends_at_once_is_told_with_its_last_words(stage: Stage) -> None:
    argv = (program(stage.folder, "print('cannot find my library', file=sys.stderr)", "sys.exit(7)"),)
    agent = stage.agent(await stage.model(), RecordingDesk(), argv=argv)
    with pytest.raises(AgentDied, match="ended \\(exit status 7\\)") as died:
        await agent.start()
    assert died.value.exit_status == 7
    assert died.value.last_words == "cannot find my library"
    assert (stage.session / "agent.log").read_text() == "cannot find my library\n"


@asynccontextmanager
async def door(heard: list[str]) -> AsyncIterator[AskDoor]:
    """Our own tool's server, as far as Claude Code looks."""

    async def answer(request: web.Request) -> web.Response:
        asked = await request.json()
        heard.append(f"{request.headers.get('Authorization')} {asked.get('method')}")
        tool = {"name": "ask_human", "description": "Ask", "inputSchema": {"type": "object"}}
        known = {
            "initialize": {
                "protocolVersion": (asked.get("params") or {}).get("protocolVersion"),
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "switchboard", "version": "1"},
            },
            "tools/list": {"tools": [tool]},
            "tools/call": {"content": [{"type": "text", "text": "Ana says: the blue one"}]},
        }
        if "id" not in asked:
            return web.Response(status=202)
        return web.json_response({"jsonrpc": "2.0", "id": asked["id"], "result": known.get(asked["method"], {})})

    app = web.Application()
    app.router.add_post("/mcp", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        yield AskDoor(f"http://{host}:{port}/mcp", "secret-token")
    finally:
        await runner.cleanup()


async def test_our_own_tool_is_there_and_needs_no_leave(stage: Stage) -> None:
    heard: list[str] = []
    model = await stage.model(calls("mcp__switchboard__ask_human", question="Which one?"), Says("Blue."))
    desk = RecordingDesk()
    async with door(heard) as ask:
        agent = stage.agent(model, desk, ask=ask)
        await agent.start()
        ended = await agent.prompt("Ask")
        cli = (stage.session / "claude.json").read_text()
        await agent.close()
    assert ended.last_words == "Blue."
    assert desk.asked == []
    assert "Ana says: the blue one" in model.results()[0]
    assert "Bearer secret-token tools/call" in heard
    assert "secret-token" not in cli
    assert not (stage.session / "claude-mcp.json").exists()


async def test_our_own_tool_may_move_while_the_agent_lives(stage: Stage) -> None:
    before: list[str] = []
    after: list[str] = []
    model = await stage.model(Says("Ready."), calls("mcp__switchboard__ask_human", question="Which?"), Says("Blue."))
    async with door(before) as ask:
        first = stage.agent(model, RecordingDesk(), ask=ask)
        session = (await first.start()).session
        await first.prompt("Get ready")
        await first.detach()
    async with door(after) as ask:
        second = stage.agent(model, RecordingDesk(), ask=ask)
        assert (await second.start(resume=session)).held
        assert (await second.prompt("Ask")).last_words == "Blue."
        await second.close()
    assert "Ana says: the blue one" in model.results()[0]
    assert "Bearer secret-token tools/call" in after


async def test_its_token_is_not_among_the_arguments(stage: Stage) -> None:
    async with door([]) as ask:
        agent = stage.agent(await stage.model(), RecordingDesk(), ask=ask)
        await agent.start()
        assert os.stat(stage.session / "claude-mcp.json").st_mode & 0o077 == 0
        seen = b"".join(path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if os.access(path, os.R_OK))
        assert b"secret-token" not in seen
        await agent.close()
