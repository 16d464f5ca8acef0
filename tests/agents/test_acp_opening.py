"""What an ACP session is opened with: the ask tool by the way the agent takes it, the mode, the model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from acp import PROTOCOL_VERSION
from acp.schema import InitializeResponse, NewSessionResponse

from runners.agents.acp.faults import Fault, in_words
from runners.agents.acp.opening import Opening
from runners.agents.base import AskDoor, Launch
from runners.agents.profiles import Quirks
from runners.errors import AgentConfused

DOOR = AskDoor("http://127.0.0.1:9/mcp", "secret")
MODES = {
    "currentModeId": "auto",
    "availableModes": [{"id": "auto", "name": "Auto"}, {"id": "default", "name": "Default"}],
}
MODEL = {
    "id": "model", "name": "Model", "category": "model", "type": "select", "currentValue": "big",
    "options": [{"value": "big", "name": "Big"}, {"value": "small", "name": "Small"}],
}  # fmt: skip


class Recorded:
    """An agent's end of the line that says what it was asked."""

    def __init__(self, hello: dict[str, Any], opened: dict[str, Any]) -> None:
        self._hello, self._opened = hello, opened
        self.servers: list[Any] = []
        self.chosen: list[tuple[str, ...]] = []

    async def initialize(self, *_: Any) -> InitializeResponse:
        return InitializeResponse.model_validate({"protocolVersion": PROTOCOL_VERSION, **self._hello})

    async def new_session(self, cwd: str, mcp_servers: list[Any]) -> NewSessionResponse:
        self.servers = mcp_servers
        return NewSessionResponse.model_validate({"sessionId": "s", **self._opened})

    async def set_session_mode(self, session: str, mode: str) -> None:
        self.chosen.append(("mode", mode))

    async def set_config_option(self, option: str, session: str, value: str) -> None:
        self.chosen.append((option, value))


async def opened(
    hello: dict[str, Any], answer: dict[str, Any], quirks: Quirks | None = None, **launch: Any
) -> tuple[Recorded, Opening, Any]:
    line = Recorded(hello, answer)
    paper = Launch("x", ("x",), Path("/w"), Path("/l"), folder=Path("/f"), **launch)
    opening = Opening(paper, quirks or Quirks(), line)  # type: ignore[arg-type]
    await opening.greet()
    return line, opening, await opening.new()


HTTP = {"agentCapabilities": {"mcpCapabilities": {"http": True}}}


async def test_the_ask_tool_is_given_over_http_where_that_is_taken() -> None:
    line, _, _ = await opened(HTTP, {}, Quirks(tool_wait=600.0), ask=DOOR)
    (server,) = line.servers
    assert (server.name, server.url) == ("switchboard", "http://127.0.0.1:9/mcp?wait=600")
    assert [(header.name, header.value) for header in server.headers] == [("Authorization", "Bearer secret")]


async def test_else_by_a_shim_that_finds_the_door_by_the_sessions_folder() -> None:
    line, _, _ = await opened({}, {}, ask=DOOR)
    (server,) = line.servers
    assert server.args == ["-m", "bot.cli", "mcp"]
    assert [(variable.name, variable.value) for variable in server.env] == [("SWITCHBOARD_FOLDER", "/f")]
    assert "secret" not in server.model_dump_json()


@pytest.mark.parametrize(("quirks", "ask"), [(Quirks(mcp="none"), DOOR), (Quirks(), None)])
async def test_or_not_at_all(quirks: Quirks, ask: AskDoor | None) -> None:
    line, _, _ = await opened(HTTP, {}, quirks, ask=ask)
    assert line.servers == []


async def test_mode_and_model_are_chosen_where_they_differ() -> None:
    line, _, session = await opened({}, {"modes": MODES, "configOptions": [MODEL]}, mode="default", model="small")
    assert line.chosen == [("mode", "default"), ("model", "small")]
    assert session.model == "small"
    line, _, session = await opened({}, {"modes": MODES, "configOptions": [MODEL]}, mode="auto")
    assert line.chosen == []
    assert session.model == "big"


@pytest.mark.parametrize(
    ("wanted", "offered"), [({"mode": "plan"}, "auto, default"), ({"model": "tiny"}, "big, small")]
)
async def test_what_there_is_not_is_refused_with_what_there_is(wanted: dict[str, str], offered: str) -> None:
    with pytest.raises(AgentConfused, match=offered):
        await opened({}, {"modes": MODES, "configOptions": [MODEL]}, **wanted)


async def test_steering_is_taken_where_it_is_offered() -> None:
    _, opening, _ = await opened({"_meta": {"steering": {"supported": True}}}, {})
    assert opening.steers == "method"
    _, opening, _ = await opened({}, {}, Quirks(steer="prompt"))
    assert opening.steers == "prompt"
    _, opening, _ = await opened({"_meta": {"steering": "yes"}}, {})
    assert opening.steers == ""


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault(-32603, "Internal error", {"details": "You have hit your limit."}), "You have hit your limit."),
        (Fault(-32603, "Internal error"), "Internal error"),
        (Fault(-32600, "Not now", "a turn is running"), "Not now: a turn is running"),
    ],
)
def test_an_error_is_told_in_the_agents_own_words(fault: Fault, words: str) -> None:
    assert in_words(fault) == words
