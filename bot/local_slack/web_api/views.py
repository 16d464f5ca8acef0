"""views.open, push, update and publish."""

from __future__ import annotations

from bot.local_slack import modals
from bot.local_slack.errors import SlackError
from bot.local_slack.models import Json, View
from bot.local_slack.web_api.access import find_person
from bot.local_slack.web_api.call import Call
from bot.local_slack.workspace import Workspace


async def open_view(ws: Workspace, call: Call) -> Json:
    trigger = ws.triggers.peek(call.required("trigger_id"))
    given = _modal(call)
    view = modals.open_modal(ws, trigger.person, given)
    trigger.used = True
    return await _settled(ws, view)


async def push_view(ws: Workspace, call: Call) -> Json:
    trigger = ws.triggers.peek(call.required("trigger_id"))
    given = _modal(call)
    view = modals.push_modal(ws, trigger.person, given)
    trigger.used = True
    return await _settled(ws, view)


async def update_view(ws: Workspace, call: Call) -> Json:
    view_id, external_id = call.text("view_id"), call.text("external_id")
    if not (view_id or external_id):
        raise SlackError("invalid_arguments")
    given = modals.checked(call.json("view", "invalid_arguments"))
    found = [
        view
        for view in ws.state.views()
        if (view.id == view_id if view_id else view.body.get("external_id") == external_id)
    ]
    if not found:
        raise SlackError("not_found")
    modals.update_view(ws, found[0], given, call.text("hash"))
    return await _settled(ws, found[0])


async def publish_view(ws: Workspace, call: Call) -> Json:
    person = find_person(ws, call.required("user_id"))
    given = modals.checked(call.json("view", "invalid_arguments"))
    if given["type"] != "home":
        raise SlackError("invalid_arguments", response_metadata={"messages": ["[ERROR] view must be of type home"]})
    if not ws.manifest.home_tab:
        raise SlackError("not_enabled")
    return await _settled(ws, modals.publish_home(ws, person.id, given, call.text("hash")))


def _modal(call: Call) -> Json:
    given = modals.checked(call.json("view", "invalid_arguments"))
    if given["type"] != "modal":
        raise SlackError("invalid_arguments", response_metadata={"messages": ["[ERROR] view must be of type modal"]})
    return given


async def _settled(ws: Workspace, view: View) -> Json:
    await ws.settle()
    return {"view": modals.show(view)}
