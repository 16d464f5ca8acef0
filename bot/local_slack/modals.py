"""Views: a person's stack of modals (three at most) and their Home tab."""

from __future__ import annotations

from bot.local_slack.errors import SlackError
from bot.local_slack.ids import new_id, new_token
from bot.local_slack.kit.blocks import view_errors, view_too_large
from bot.local_slack.kit.values import fill_ids, initial_values
from bot.local_slack.models import Json, View
from bot.local_slack.workspace import Workspace

DEEPEST = 3


def checked(view: object) -> Json:
    """The view, if Slack would take it; ``invalid_arguments`` with the reasons otherwise."""
    if errors := view_errors(view):
        raise SlackError("invalid_arguments", response_metadata={"messages": [f"[ERROR] {error}" for error in errors]})
    if view_too_large(view):
        raise SlackError("view_too_large")
    assert isinstance(view, dict)
    return view


def open_modal(ws: Workspace, person: str, given: Json) -> View:
    """A new stack of one; an older modal of this person closes without a word, as its client shows one stack only."""
    view = _make(ws, person, given)
    for old in ws.state.modals.get(person, []):
        ws.tell([person], {"type": "view_closed", "view": {"id": old.id}})
    ws.state.modals[person] = [view]
    _opened(ws, view)
    return view


def push_modal(ws: Workspace, person: str, given: Json) -> View:
    stack = ws.state.modals.get(person)
    if not stack:
        raise SlackError("invalid_trigger_id")
    if len(stack) >= DEEPEST:
        raise SlackError("push_limit_reached")
    view = _make(ws, person, given, root=stack[0].id, previous=stack[-1].id)
    stack.append(view)
    _opened(ws, view)
    return view


def update_view(ws: Workspace, view: View, given: Json, expected_hash: str = "") -> None:
    if expected_hash and expected_hash != view.body["hash"]:
        raise SlackError("hash_conflict")
    if given["type"] != view.body["type"]:
        raise SlackError("invalid_arguments", response_metadata={"messages": ["[ERROR] view type cannot be changed"]})
    _check_external_id(ws, given, view.id)
    old = view.body
    view.body = _body(ws, given, view.id, old["root_view_id"], old["previous_view_id"])
    # What the person has entered stays where the same field is still there, as in Slack's client.
    fresh = initial_values(view.body["blocks"])
    view.values = {
        block: {action: view.values.get(block, {}).get(action, value) for action, value in fields.items()}
        for block, fields in fresh.items()
    }
    keep(ws, view)
    ws.tell([view.person], {"type": "home" if view.body["type"] == "home" else "view_updated", "view": show(view)})


def publish_home(ws: Workspace, person: str, given: Json, expected_hash: str = "") -> View:
    existing = ws.state.homes.get(person)
    if existing is None:
        if expected_hash:
            raise SlackError("hash_conflict")
        view = _make(ws, person, given)
        ws.state.save_home(view)
        ws.tell([person], {"type": "home", "view": show(view)})
        return view
    update_view(ws, existing, given, expected_hash)
    return existing


def close_top(ws: Workspace, view: View) -> None:
    """Takes one view off its stack; what lies below shows again."""
    stack = ws.state.modals.get(view.person, [])
    if view in stack:
        stack.remove(view)
    ws.state.save_modals(view.person)
    ws.tell([view.person], {"type": "view_closed", "view": {"id": view.id}})
    if stack:
        ws.tell([view.person], {"type": "view_updated", "view": show(stack[-1])})


def clear(ws: Workspace, person: str) -> list[View]:
    """Closes the whole stack and returns it, topmost last."""
    stack = ws.state.modals.get(person, [])
    ws.state.modals[person] = []
    ws.state.save_modals(person)
    for view in reversed(stack):
        ws.tell([person], {"type": "view_closed", "view": {"id": view.id}})
    return stack


def keep(ws: Workspace, view: View) -> None:
    """What the person entered is kept with the view."""
    if view.body["type"] == "home":
        ws.state.save_home(view)
    else:
        ws.state.save_modals(view.person)


def show(view: View) -> Json:
    return view.body | {"state": {"values": view.values}}


def _opened(ws: Workspace, view: View) -> None:
    ws.state.save_modals(view.person)
    ws.tell([view.person], {"type": "view_opened", "view": show(view)})


def _make(ws: Workspace, person: str, given: Json, root: str = "", previous: str | None = None) -> View:
    _check_external_id(ws, given, "")
    view_id = new_id("V")
    body = _body(ws, given, view_id, root or view_id, previous)
    return View(view_id, person, body, initial_values(body["blocks"]))


def _check_external_id(ws: Workspace, given: Json, own_id: str) -> None:
    external = given.get("external_id")
    if external and any(v.body.get("external_id") == external and v.id != own_id for v in ws.state.views()):
        raise SlackError("duplicate_external_id")


def _body(ws: Workspace, given: Json, view_id: str, root: str, previous: str | None) -> Json:
    return {
        "id": view_id,
        "team_id": ws.state.team_id,
        "type": given["type"],
        "blocks": fill_ids(given["blocks"]),
        "private_metadata": given.get("private_metadata", ""),
        "callback_id": given.get("callback_id", ""),
        "hash": f"{int(ws.clock.time())}.{new_token(size=4)}",
        "title": _full(given.get("title")),
        "clear_on_close": bool(given.get("clear_on_close", False)),
        "notify_on_close": bool(given.get("notify_on_close", False)),
        "close": _full(given.get("close")),
        "submit": _full(given.get("submit")),
        "submit_disabled": bool(given.get("submit_disabled", False)),
        "previous_view_id": previous,
        "root_view_id": root,
        "app_id": ws.state.meta["app_id"],
        "external_id": given.get("external_id", ""),
        "app_installed_team_id": ws.state.team_id,
        "bot_id": ws.state.bot.bot_id,
    }


def _full(text: Json | None) -> Json | None:
    return None if text is None else {"emoji": True} | text
