"""api.test, auth.test and apps.connections.open."""

from __future__ import annotations

from bot.local_slack.errors import SlackError
from bot.local_slack.models import Json
from bot.local_slack.web_api.call import Call
from bot.local_slack.workspace import Workspace


async def api_test(ws: Workspace, call: Call) -> Json:
    if error := call.text("error"):
        raise SlackError(error, args=call.args)
    return {"args": {key: value for key, value in call.args.items() if key != "token"}}


async def auth_test(ws: Workspace, call: Call) -> Json:
    bot = ws.state.bot
    return {
        "url": f"{ws.base_url}/",
        "team": ws.state.meta["team_name"],
        "user": bot.name,
        "team_id": ws.state.team_id,
        "user_id": bot.id,
        "bot_id": bot.bot_id,
        "is_enterprise_install": False,
    }


async def connections_open(ws: Workspace, call: Call) -> Json:
    if ws.faults.take_refused_ticket():
        raise SlackError("internal_error")
    address = ws.base_url.replace("http://", "ws://", 1)
    return {"url": f"{address}/link/?ticket={ws.socket_mode.ticket()}&app_id={ws.state.meta['app_id']}"}
