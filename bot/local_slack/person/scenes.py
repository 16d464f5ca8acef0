"""What tests set up: people, channels, scopes, the transport, and the fault switches."""

from __future__ import annotations

import asyncio
from typing import get_args
from zoneinfo import ZoneInfo

from bot.local_slack import channels, events
from bot.local_slack.errors import NotDelivered, PersonError
from bot.local_slack.faults import Disconnect
from bot.local_slack.http_mode import HttpMode
from bot.local_slack.models import Channel, Json
from bot.local_slack.person.look import channel_object, person_object
from bot.local_slack.person.request import Ask
from bot.local_slack.seed import add_person
from bot.local_slack.web_api import users


async def people(ask: Ask) -> Json:
    """``name``; optional ``tz``, ``guest`` (single|multi), ``team_id`` (a stranger's), ``channels`` to be in."""
    wanted: list[Channel] = []
    person = add_person(
        ask.ws.state,
        ask.text("name"),
        tz=await _zone(ask, "UTC"),
        guest=ask.text("guest", ""),
        team_id=ask.text("team_id", ""),
    )
    names = ask.ws.channel_names()
    for name in ask.words("channels") if "channels" in ask.args else ["sessions"]:
        channel_id = names.get(name.removeprefix("#"))
        if channel_id is None:
            raise PersonError("channel_not_found", f"there is no channel {name!r}", 404)
        wanted.append(ask.ws.state.channels[channel_id])
    for channel in wanted:
        channels.join(ask.ws, channel, person.id)
    ask.ws.tell_all({"type": "people", "people": [person_object(person)]})
    await ask.ws.settle()
    return {"person": person_object(person)}


async def _zone(ask: Ask, default: str) -> str:
    name = ask.text("tz", default)
    try:
        await asyncio.to_thread(ZoneInfo, name)
    except (KeyError, ValueError, OSError):
        raise PersonError("unknown_time_zone", f"there is no time zone {name!r}; one is Europe/Berlin") from None
    return name


async def change_person(ask: Ask) -> Json:
    """``user`` with any of ``tz``, ``real_name``, ``deleted``."""
    person = ask.ws.state.people.get(ask.text("user"))
    if person is None:
        raise PersonError("unknown_person", f"there is nobody with the id {ask.text('user')!r}", 404)
    person.tz = await _zone(ask, person.tz)
    person.real_name = ask.text("real_name", person.real_name)
    if "deleted" in ask.args:
        person.deleted = ask.flag("deleted")
    person.updated = int(ask.ws.clock.time())
    ask.ws.state.save_person(person)
    events.user_changed(ask.ws, await users.describe(ask.ws, person))
    ask.ws.tell_all({"type": "people", "people": [person_object(person)]})
    await ask.ws.settle()
    return {"person": person_object(person)}


async def new_channel(ask: Ask) -> Json:
    """``name``; optional ``members`` (ids; everyone but guests without it), ``bot`` (true: the app is in it)."""
    state = ask.ws.state
    name = ask.text("name").removeprefix("#").lower()
    if not name or name in ask.ws.channel_names():
        raise PersonError("name_taken", f"a channel needs a new name, not {name!r}")
    members = ask.words("members") or [p.id for p in state.people.values() if not p.guest and not p.is_bot]
    if unknown := [member for member in members if member not in state.people]:
        raise PersonError("unknown_person", f"there is nobody with the id {unknown[0]!r}", 404)
    if ask.flag("bot"):
        members = [*members, state.bot.id]
    admin = state.people[state.meta["admin"]]
    channel = channels.create(ask.ws, name, admin.id, list(dict.fromkeys(members)), ask.text("topic", ""))
    await ask.ws.settle()
    return {"channel": channel_object(ask.ws, channel, admin)}


async def archive(ask: Ask) -> Json:
    admin = ask.ws.state.people[ask.ws.state.meta["admin"]]
    channels.archive(ask.ws, ask.channel(admin), admin.id, archived=not ask.flag("undo"))
    await ask.ws.settle()
    return {}


async def invite(ask: Ask) -> Json:
    """``channel`` and ``user`` (the app's user too); ``remove`` takes them out."""
    admin = ask.ws.state.people[ask.ws.state.meta["admin"]]
    channel = ask.channel(admin)
    user = ask.text("user")
    if user not in ask.ws.state.people:
        raise PersonError("unknown_person", f"there is nobody with the id {user!r}", 404)
    if ask.flag("remove"):
        channels.leave(ask.ws, channel, user)
    else:
        channels.join(ask.ws, channel, user, inviter=admin.id)
    await ask.ws.settle()
    return {}


async def scopes(ask: Ask) -> Json:
    """``remove`` and ``add``: as when the app is installed again with other scopes. Not kept across a restart."""
    ask.ws.scopes = (ask.ws.scopes - set(ask.words("remove"))) | set(ask.words("add"))
    return {"scopes": sorted(ask.ws.scopes)}


async def transport(ask: Ask) -> Json:
    """``url``: from now on events go there over HTTP; empty: Socket Mode. Verified unless ``verify`` is false."""
    ws = ask.ws
    url = ask.text("url", "")
    old = ws.delivery.transport
    if url:
        meta = ws.state.meta
        new = HttpMode(url, meta["signing_secret"], meta["verification_token"], ws.clock, ws.faults)
        try:
            if ask.args.get("verify") is not False:
                await new.verify()
        except NotDelivered as failure:
            await new.close()
            raise PersonError(
                "url_verification", f"{url} did not echo the challenge ({failure.reason}): is the bot running there?"
            ) from None
        ws.delivery.use(new)
    else:
        ws.delivery.use(ws.socket_mode)
    if isinstance(old, HttpMode):
        await old.close()
    return {"transport": "http" if url else "socket"}


async def faults(ask: Ask) -> Json:
    ws = ask.ws
    disconnect = ask.text("disconnect", "")
    if disconnect and disconnect not in get_args(Disconnect):
        raise PersonError("bad_fault", f"disconnect must be one of {', '.join(get_args(Disconnect))}")
    ws.faults.change(ask.args)
    if ask.flag("clear"):
        ws.socket_mode.lay_ghosts()
    if ask.flag("expire_triggers"):
        ws.triggers.expire_all()
    if disconnect:
        await ws.socket_mode.disconnect(disconnect)
    return {"faults": ws.faults.describe(), "connections": ws.socket_mode.connections}
