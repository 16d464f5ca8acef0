"""A person presses, picks or types into something the app made: block_actions and shortcuts."""

from __future__ import annotations

from typing import Any

from bot.local_slack import answers, modals
from bot.local_slack.errors import NotDelivered, PersonError
from bot.local_slack.kit.values import STATEFUL, elements_of, initial_values
from bot.local_slack.models import Json, Message, View
from bot.local_slack.payloads import channel_name, common, stamp
from bot.local_slack.rendering import for_viewer, render
from bot.local_slack.values import entered
from bot.local_slack.workspace import Workspace

CHOSEN = (
    "value",
    "selected_option",
    "selected_options",
    "selected_user",
    "selected_users",
    "selected_channel",
    "selected_channels",
    "selected_conversation",
    "selected_conversations",
    "selected_date",
    "selected_time",
    "selected_date_time",
    "rich_text_value",
)


async def act(ws: Workspace, person: str, container: Json, action: Json, state: Json) -> None:
    """Sends one block_actions; PersonError if there is no such element here, or if the app did not take it in 3 s."""
    if container.get("type") == "view":
        payload = _in_view(ws, person, str(container.get("view_id", "")), action, state)
    else:
        payload = _in_message(ws, person, container, action, state)
    ws.tell([person], {"type": "busy", "container": container, "action": _name(action), "busy": True})
    await ws.settle()
    try:
        await ask(ws, payload, f"block_actions {action.get('action_id', '')}")
    finally:
        ws.tell([person], {"type": "busy", "container": container, "action": _name(action), "busy": False})
        await ws.settle()


async def shortcut(ws: Workspace, person: str, callback_id: str, message: Message | None) -> None:
    known = {found.callback_id: found for found in ws.manifest.shortcuts}
    found = known.get(callback_id)
    if found is None:
        raise PersonError(
            "no_shortcut", f"the app has no shortcut {callback_id!r}; it has: {', '.join(known) or 'none'}"
        )
    if (found.type == "message") is (message is None):
        where = "on a message (channel and ts)" if found.type == "message" else "anywhere, without a message"
        raise PersonError("wrong_shortcut_place", f"the shortcut {callback_id!r} works {where}")
    payload = common(ws, "shortcut" if message is None else "message_action", person)
    payload |= {"callback_id": callback_id, "trigger_id": ws.triggers.make(person), "action_ts": stamp(ws)}
    if message is not None:
        channel = ws.state.channels[message.channel]
        payload |= {
            "channel": {"id": channel.id, "name": channel_name(channel)},
            "message_ts": message.ts,
            "message": render(ws, message, person, metadata=False),
            "response_url": answers.make_url(ws, person, channel.id, message),
        }
    await ws.settle()
    await ask(ws, payload, f"{payload['type']} {callback_id}")


async def ask(ws: Workspace, payload: Json, name: str) -> Json:
    """Sends what a person is waiting for; PersonError if the app has no interactivity or does not take it in 3 s."""
    if not ws.manifest.interactive:
        raise PersonError(
            "not_interactive", f"{ws.manifest.name} is not configured to handle interactive responses", status=200
        )
    try:
        return await ws.delivery.ask("interactive", payload, name)
    except NotDelivered as failure:
        raise PersonError(
            "dispatch_failed",
            f"{ws.manifest.name} did not respond: {failure.reason.replace('_', ' ')}. Try again in a moment.",
            status=200,
        ) from None


def _in_message(ws: Workspace, person: str, container: Json, action: Json, state: Json) -> Json:
    channel_id, ts = str(container.get("channel", "")), str(container.get("ts", ""))
    message = ws.state.messages.get((channel_id, ts))
    if message is None or message.to not in {"", person} or person not in ws.state.channels[channel_id].members:
        raise PersonError("message_not_found", "that message is not there any more", status=404)
    # A client that has not seen the last edit yet still shows, and sends, what was there before it.
    versions = [message.body, *reversed(ws.old_versions.get((channel_id, ts), []))]
    for body in versions:
        blocks = [for_viewer(block, person) for block in body.get("blocks", [])]
        if (element := _find(blocks, action)) is not None:
            break
    else:
        raise PersonError("action_not_found", f"the message has no {_name(action)} for this person", status=404)
    channel = ws.state.channels[channel_id]
    where: Json = {
        "type": "message",
        "message_ts": ts,
        "channel_id": channel_id,
        "is_ephemeral": bool(message.to),
    }
    if message.thread_ts:
        where["thread_ts"] = message.thread_ts
    payload = common(ws, "block_actions", person) | {
        "container": where,
        "trigger_id": ws.triggers.make(person),
        "channel": {"id": channel_id, "name": channel_name(channel)},
        "state": {"values": entered(blocks, initial_values(blocks), _values(state))},
        "response_url": answers.make_url(ws, person, channel_id, message),
        "actions": [_action(ws, element, action)],
    }
    if not message.to:
        payload["message"] = render(ws, message, metadata=False) | {"blocks": body.get("blocks", [])}
    return payload


def _in_view(ws: Workspace, person: str, view_id: str, action: Json, state: Json) -> Json:
    view = find_view(ws, person, view_id)
    blocks = view.body["blocks"]
    element = _find(blocks, action)
    if element is None:
        raise PersonError("action_not_found", f"the view has no {_name(action)}", status=404)
    view.values = entered(blocks, view.values, _values(state))
    if keys := STATEFUL.get(element["type"]):
        chosen = {keys[0]: _action(ws, element, action).get(keys[0])}
        view.values = entered(blocks, view.values, {str(action["block_id"]): {str(element["action_id"]): chosen}})
    modals.keep(ws, view)
    return common(ws, "block_actions", person) | {
        "container": {"type": "view", "view_id": view.id},
        "trigger_id": ws.triggers.make(person),
        "view": modals.show(view),
        "actions": [_action(ws, element, action)],
    }


def find_view(ws: Workspace, person: str, view_id: str) -> View:
    view = ws.state.view(person, view_id)
    if view is None:
        raise PersonError("view_not_found", "that view is not open any more", status=404)
    return view


def _find(blocks: list[Json], action: Json) -> Json | None:
    for block_id, element in elements_of(blocks):
        if element.get("action_id") == action.get("action_id") and block_id == action.get("block_id", block_id):
            action.setdefault("block_id", block_id)
            return element
    return None


def _action(ws: Workspace, element: Json, given: Json) -> Json:
    """What Slack tells of the element and of the choice; a choice that was not on offer is refused."""
    action: Json = {"type": element["type"], "action_id": element["action_id"], "block_id": given["block_id"]}
    if element["type"] == "button":
        action |= {key: element[key] for key in ("text", "value", "style", "url") if key in element}
    else:
        if "placeholder" in element:
            action["placeholder"] = element["placeholder"]
        chosen = {key: given[key] for key in CHOSEN if key in given}
        action |= entered_one(element, chosen)
    return action | {"action_ts": stamp(ws)}


def entered_one(element: Json, chosen: Json) -> Json:
    block = {"type": "section", "block_id": "b", "accessory": element}
    if element["type"] == "overflow":
        option = chosen.get("selected_option") or {}
        found = next((item for item in element["options"] if item.get("value") == option.get("value")), None)
        if found is None:
            raise PersonError("bad_option", f"{option.get('value')!r} is not one of the options")
        return {"selected_option": found}
    values = entered([block], initial_values([block]), {"b": {element["action_id"]: chosen}})
    return {key: value for key, value in values["b"][element["action_id"]].items() if key != "type"}


def _values(state: Any) -> Json:
    values = state.get("values", {}) if isinstance(state, dict) else None
    if not isinstance(values, dict):
        raise PersonError("bad_state", 'state must be {"values": {block_id: {action_id: {…}}}}')
    return values


def _name(action: Json) -> str:
    return f"{action.get('block_id', '')}/{action.get('action_id', '')}"
