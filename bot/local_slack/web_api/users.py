"""users.info."""

from __future__ import annotations

import asyncio
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.local_slack.models import Json, Person
from bot.local_slack.web_api.access import find_person
from bot.local_slack.web_api.call import Call
from bot.local_slack.workspace import Workspace


async def info(ws: Workspace, call: Call) -> Json:
    return {"user": await describe(ws, find_person(ws, call.text("user")))}


async def describe(ws: Workspace, person: Person) -> Json:
    offset = await asyncio.to_thread(_offset, person.tz, ws.clock.time())
    return user_object(ws, person, offset)


def _offset(zone: str, now: float) -> int:
    """Seconds east of UTC; reads the zone's file."""
    offset = datetime.fromtimestamp(now, ZoneInfo(zone)).utcoffset()
    return int(offset.total_seconds()) if offset else 0


def user_object(ws: Workspace, person: Person, offset: int) -> Json:
    profile: Json = {
        "real_name": person.real_name,
        "real_name_normalized": person.real_name,
        "display_name": person.name,
        "display_name_normalized": person.name,
        "title": "",
        "status_text": "",
        "status_emoji": "",
        "team": person.team_id or ws.state.team_id,
    }
    if person.email and "users:read.email" in ws.scopes:
        profile["email"] = person.email
    if person.is_bot:
        profile |= {"bot_id": person.bot_id, "api_app_id": ws.state.meta["app_id"], "always_active": True}
    return {
        "id": person.id,
        "team_id": person.team_id or ws.state.team_id,
        "name": person.name,
        "real_name": person.real_name,
        "deleted": person.deleted,
        "color": person.color,
        "tz": person.tz,
        "tz_label": person.tz,
        "tz_offset": offset,
        "profile": profile,
        "is_admin": False,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": bool(person.guest),
        "is_ultra_restricted": person.guest == "single",
        "is_bot": person.is_bot,
        "is_app_user": False,
        "updated": person.updated,
    }
