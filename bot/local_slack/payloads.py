"""The parts that interaction payloads share, as Slack sends them."""

from __future__ import annotations

from bot.local_slack.models import Channel, Json
from bot.local_slack.workspace import Workspace

DOMAIN = "embedded"


def common(ws: Workspace, kind: str, person: str) -> Json:
    return {
        "type": kind,
        "user": {
            "id": person,
            "username": ws.state.people[person].name,
            "name": ws.state.people[person].name,
            "team_id": ws.state.team_id,
        },
        "api_app_id": ws.state.meta["app_id"],
        "token": ws.state.meta["verification_token"],
        "team": {"id": ws.state.team_id, "domain": DOMAIN},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def channel_name(channel: Channel) -> str:
    return "directmessage" if channel.kind == "im" else channel.name


def stamp(ws: Workspace) -> str:
    return f"{ws.clock.time():.6f}"
