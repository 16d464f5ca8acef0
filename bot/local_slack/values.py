"""What a person entered into a view or message: checked against what was on offer, as Slack's client does."""

from __future__ import annotations

import re
from typing import Any

from bot.local_slack.errors import PersonError
from bot.local_slack.kit.values import STATEFUL, elements_of
from bot.local_slack.models import Json

LONGEST_INPUT = 3000
REQUIRED = "Please complete this required field."


def entered(blocks: list[Json], before: Json, given: Json) -> Json:
    """``before`` with what was ``given`` laid over it; unknown fields are dropped, options completed and checked."""
    values: Json = {}
    for block_id, element in elements_of(blocks):
        keys = STATEFUL.get(str(element.get("type")))
        if keys is None:
            continue
        key, action_id = keys[0], element["action_id"]
        value = before.get(block_id, {}).get(action_id, {"type": element["type"], key: None})
        new = given.get(block_id, {}).get(action_id)
        if isinstance(new, dict) and key in new:
            value = {"type": element["type"], key: _completed(element, key, new[key])}
        values.setdefault(block_id, {})[action_id] = value
    return values


def input_errors(blocks: list[Json], values: Json) -> dict[str, str]:
    """What Slack's client refuses before the app hears of it: block_id to words."""
    errors: dict[str, str] = {}
    for block in blocks:
        if block.get("type") != "input":
            continue
        element = block["element"]
        key = STATEFUL[element["type"]][0]
        value = values.get(block["block_id"], {}).get(element["action_id"], {}).get(key)
        if value in (None, "", []):
            if not block.get("optional"):
                errors[block["block_id"]] = REQUIRED
        elif problem := _problem(element, value):
            errors[block["block_id"]] = problem
    return errors


def _problem(element: Json, value: Any) -> str:
    match element["type"]:
        case "plain_text_input":
            longest, shortest = int(element.get("max_length", LONGEST_INPUT)), int(element.get("min_length", 0))
            if len(value) > longest:
                return f"This is {len(value)} characters long; at most {longest} are allowed."
            if len(value) < shortest:
                return f"This is too short; at least {shortest} characters are needed."
        case "number_input":
            return _number_problem(element, value)
        case "email_text_input":
            if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value):
                return "Please enter a valid email address."
        case "url_text_input":
            if not re.fullmatch(r"https?://\S+", value):
                return "Please enter a valid URL."
        case kind if kind.startswith("multi_") and len(value) > int(element.get("max_selected_items", len(value))):
            return f"At most {element['max_selected_items']} can be chosen."
    return ""


def _number_problem(element: Json, value: str) -> str:
    try:
        number = float(value)
    except ValueError:
        return "Please enter a number."
    if not element.get("is_decimal_allowed") and not number.is_integer():
        return "Please enter a whole number."
    if "min_value" in element and number < float(element["min_value"]):
        return f"Please enter a number of at least {element['min_value']}."
    if "max_value" in element and number > float(element["max_value"]):
        return f"Please enter a number of at most {element['max_value']}."
    return ""


def _completed(element: Json, key: str, value: Any) -> Any:
    if key == "selected_option":
        return None if value is None else _option(element, value)
    if key == "selected_options":
        if not isinstance(value, list):
            raise PersonError("bad_option", "selected_options must be a list")
        return [_option(element, item) for item in value]
    if key.startswith("selected_") and key.endswith("s"):
        return value if isinstance(value, list) else []
    if key == "value" and value == "":
        return None
    if key == "value" and value is not None and not isinstance(value, str):
        raise PersonError("bad_value", f"{element['action_id']}: a text input holds a string")
    return value


def _option(element: Json, value: Any) -> Json:
    """The whole option for its value; nobody can pick what was not offered."""
    wanted = value.get("value") if isinstance(value, dict) else value
    groups = element.get("option_groups", [])
    offered: list[Json] = [*element.get("options", []), *(item for group in groups for item in group["options"])]
    if element["type"].endswith("external_select"):
        return value if isinstance(value, dict) else {"value": value}
    found = next((item for item in offered if item.get("value") == wanted), None)
    if found is None:
        raise PersonError("bad_option", f"{wanted!r} is not one of the options of {element['action_id']}")
    return found
