"""A person submits or closes a modal: view_submission with the app's response_action, and view_closed."""

from __future__ import annotations

from typing import Any

from bot.local_slack import modals
from bot.local_slack.errors import PersonError, SlackError
from bot.local_slack.interactions import ask, find_view
from bot.local_slack.models import Json, View
from bot.local_slack.payloads import common
from bot.local_slack.values import entered, input_errors
from bot.local_slack.workspace import Workspace

TROUBLE = "We had some trouble connecting. Try again?"


async def submit(ws: Workspace, person: str, view_id: str, values: Json) -> Json:
    view = _modal(ws, person, view_id)
    view.values = entered(view.body["blocks"], view.values, values)
    ws.state.save_modals(person)
    if errors := input_errors(view.body["blocks"], view.values):
        await ws.settle()
        return {"ok": False, "error": "invalid_input", "errors": errors}
    payload = common(ws, "view_submission", person) | {
        "trigger_id": ws.triggers.make(person),
        "view": modals.show(view),
        "response_urls": [],
    }
    await ws.settle()
    answer = await ask(ws, payload, f"view_submission {view.body['callback_id']}")
    try:
        outcome = _apply(ws, view, answer)
    except SlackError as error:
        action = str(answer.get("response_action"))
        ws.traffic.note(ws.clock.time(), "from_app", "response_action", action, error.error, error.fields)
        raise PersonError("bad_response_action", TROUBLE, status=200, reason=error.error, **error.fields) from None
    await ws.settle()
    return outcome


async def close(ws: Workspace, person: str, view_id: str) -> None:
    """The X closes the whole stack; Slack tells the app of it where a view asked with ``notify_on_close``."""
    view = _modal(ws, person, view_id)
    payload = common(ws, "view_closed", person) | {"view": modals.show(view), "is_cleared": False}
    modals.close_top(ws, view)
    await ws.settle()
    if view.body["notify_on_close"]:
        await ask(ws, payload, f"view_closed {view.body['callback_id']}")


def _apply(ws: Workspace, view: View, answer: Json) -> Json:
    action = answer.get("response_action")
    if action is None:
        modals.close_top(ws, view)
        return {"ok": True, "result": "closed"}
    match action:
        case "errors":
            return {"ok": False, "error": "invalid_input", "errors": _errors(view, answer.get("errors"))}
        case "clear":
            modals.clear(ws, view.person)
            return {"ok": True, "result": "cleared"}
        case "update":
            modals.update_view(ws, view, modals.checked(answer.get("view")))
            return {"ok": True, "result": "updated"}
        case "push":
            modals.push_modal(ws, view.person, modals.checked(answer.get("view")))
            return {"ok": True, "result": "pushed"}
    raise SlackError("invalid_response_action")


def _errors(view: View, errors: Any) -> dict[str, str]:
    """Errors must name input blocks of this view, or Slack shows the person its trouble message instead."""
    inputs = {block["block_id"] for block in view.body["blocks"] if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors or not set(errors) <= inputs:
        raise SlackError("invalid_errors", known=sorted(inputs))
    return {str(block): str(words) for block, words in errors.items()}


def _modal(ws: Workspace, person: str, view_id: str) -> View:
    view = find_view(ws, person, view_id)
    if view.body["type"] != "modal":
        raise PersonError("not_a_modal", "only modals can be submitted or closed")
    return view
