"""The start form once sent the agent of the repository it opened with, whichever one was then chosen."""

from __future__ import annotations

from bot.domain.intents import Origin, Start
from bot.slack.blocks import forms
from bot.slack.blocks.forms import Context, Form
from bot.slack.meaning import submitted
from bot.slack.payloads import Back, Submitted
from bot.wire.messages import HostDescribed
from bot.wire.types import AgentOffer, RepoOffer
from tests.bot.board import ANA, Board
from tests.slack.limits import Json


def agent_of(view: Json) -> Json:
    return next(block["element"] for block in view["blocks"] if block["block_id"] == "agent")


async def test_the_form_leaves_the_agent_to_the_repository(board: Board) -> None:
    host = await board.host()
    repos = (RepoOffer("app", "main", agent="demo"), RepoOffer("web", "main", agent="codex"))
    await board.host_says(host, HostDescribed(repos, (AgentOffer("demo"), AgentOffer("codex"))))
    first = await board.does(ANA, Start("Add search", repo="app"), surface="modal")
    assert first
    offers = await board.desk.offers(ANA)
    assert offers.default_repo == "app"
    agent = agent_of(forms.start(offers, Context()))
    assert "initial_option" not in agent
    assert agent["placeholder"]["text"] == "The repository's own"
    sent = Submitted(Form.START, Context(), {"task": "Fix the page", "repo": "web"}, Origin("k", "modal"), Back(ANA))
    intent = submitted(sent)
    assert isinstance(intent, Start)
    await board.does(ANA, intent, surface="modal")
    assert [card.agent for card in await board.desk.all_sessions()] == ["demo", "codex"]
