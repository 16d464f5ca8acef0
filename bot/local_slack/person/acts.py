"""What a person does: write, edit, react, press, run commands, fill in modals."""

from __future__ import annotations

from typing import Any

from bot.local_slack import channels, commands, events, interactions, messages, modals, submissions
from bot.local_slack.errors import PersonError
from bot.local_slack.ids import new_token
from bot.local_slack.models import Channel, Json, Message, Person
from bot.local_slack.person.request import Ask
from bot.local_slack.text import as_typed, rich_text

LONGEST = 40_000


async def message(ask: Ask) -> Json:
    me = ask.person()
    channel = _writable(ask, me)
    body = _words(ask, me) | {"client_msg_id": new_token(size=16), "team": ask.ws.state.team_id}
    if thread_ts := ask.text("thread_ts", ""):
        body["thread_ts"] = messages.thread_parent(ask.ws, channel, thread_ts).ts
    posted = messages.post(ask.ws, channel, me.id, body)
    await ask.ws.settle()
    return {"ts": posted.ts}


async def edit(ask: Ask) -> Json:
    me = ask.person()
    found = _own(ask, me)
    kept = {key: value for key, value in found.body.items() if key not in {"text", "blocks"}}
    messages.change(ask.ws, found, kept | _words(ask, me), edited_by=me.id)
    await ask.ws.settle()
    return {"ts": found.ts}


async def delete(ask: Ask) -> Json:
    """One's own messages; ``any`` deletes the app's too, as a workspace admin can."""
    me = ask.person()
    found = ask.message(me) if ask.flag("any") else _own(ask, me)
    messages.delete(ask.ws, found)
    await ask.ws.settle()
    return {}


async def react(ask: Ask) -> Json:
    me = ask.person()
    found = ask.message(me)
    messages.react(ask.ws, found, me.id, ask.text("name").strip(":"), remove=ask.flag("remove"))
    await ask.ws.settle()
    return {}


async def command(ask: Ask) -> Json:
    me = ask.person()
    await commands.run(
        ask.ws,
        me.id,
        ask.channel(me),
        ask.text("command"),
        ask.text("text", ""),
        ask.text("thread_ts", ""),
    )
    return {}


async def action(ask: Ask) -> Json:
    me = ask.person()
    state = ask.mapping("state", optional=True)
    await interactions.act(ask.ws, me.id, ask.mapping("container"), dict(ask.mapping("action")), state)
    return {}


async def shortcut(ask: Ask) -> Json:
    me = ask.person()
    target = ask.message(me) if ask.args.get("ts") else None
    await interactions.shortcut(ask.ws, me.id, ask.text("callback_id"), target)
    return {}


async def submit(ask: Ask) -> Json:
    me = ask.person()
    values: Any = ask.mapping("state", optional=True).get("values", {})
    if not isinstance(values, dict):
        raise PersonError("bad_state", 'state must be {"values": {block_id: {action_id: {…}}}}')
    return await submissions.submit(ask.ws, me.id, ask.text("view_id"), values)


async def close(ask: Ask) -> Json:
    me = ask.person()
    await submissions.close(ask.ws, me.id, ask.text("view_id"))
    return {}


async def views(ask: Ask) -> Json:
    """The open modals, topmost last: what a page shows after it was reloaded."""
    return {"views": [modals.show(view) for view in ask.ws.state.modals.get(ask.person().id, [])]}


async def home(ask: Ask) -> Json:
    me = ask.person()
    if not ask.ws.manifest.home_tab:
        raise PersonError("not_enabled", "the app's manifest has no Home tab (features.app_home.home_tab_enabled)")
    channel = channels.open_im(ask.ws, ask.ws.state.bot.id, me.id)
    events.app_home_opened(ask.ws, me.id, channel.id, ask.text("tab", "home"))
    await ask.ws.settle()
    view = ask.ws.state.homes.get(me.id)
    return {"view": None if view is None else modals.show(view)}


async def dm(ask: Ask) -> Json:
    me = ask.person()
    other = ask.ws.state.people.get(ask.text("user"))
    if other is None:
        raise PersonError("unknown_person", f"there is nobody with the id {ask.text('user')!r}", 404)
    channel = channels.open_im(ask.ws, me.id, other.id)
    await ask.ws.settle()
    return {"channel": channel.id}


async def read(ask: Ask) -> Json:
    me = ask.person()
    channel = ask.channel(me)
    ask.ws.state.save_read(me.id, channel.id, ask.text("ts"))
    ask.ws.tell([me.id], {"type": "read", "channel": channel.id, "ts": ask.text("ts")})
    await ask.ws.settle()
    return {}


def _writable(ask: Ask, me: Person) -> Channel:
    channel = ask.channel(me)
    if channel.archived:
        raise PersonError("is_archived", f"#{channel.name} is archived: nothing can be sent here")
    if me.id not in channel.members:
        raise PersonError("not_in_channel", f"{me.real_name} is not a member of #{channel.name}: join it first")
    if channel.kind == "im" and ask.ws.state.bot.id in channel.members:
        manifest = ask.ws.manifest
        if not manifest.messages_tab or manifest.messages_read_only:
            raise PersonError("messages_tab_disabled", f"sending messages to {manifest.name} has been turned off")
    return channel


def _own(ask: Ask, me: Person) -> Message:
    found = ask.message(me)
    if found.user != me.id or found.to:
        raise PersonError("not_yours", "only your own messages can be changed", 403)
    return found


def _words(ask: Ask, me: Person) -> Json:
    text = ask.text("text").replace("\x00", "")
    if not text.strip():
        raise PersonError("no_text", "there is nothing to send")
    if len(text) > LONGEST:
        raise PersonError("msg_too_long", f"a message holds {LONGEST} characters, this has {len(text)}")
    stored = as_typed(text, ask.ws.names(), ask.ws.channel_names())
    return {"text": stored, "blocks": rich_text(stored)}
