"""The ids that Slack fills into accepted blocks, the interactive elements in them, and the values these hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.local_slack.ids import short_id
from bot.local_slack.models import Json


def fill_ids(blocks: list[Json]) -> list[Json]:
    """The same blocks with the block_ids and action_ids that Slack makes where the app gave none."""
    return [_filled(block) for block in blocks]


def _filled(block: Json) -> Json:
    full = {"block_id": short_id(), **block}
    if block.get("type") in {"actions", "context_actions"}:
        full["elements"] = [_with_action_id(item) for item in block["elements"]]
    for place in ("accessory", "element"):
        if isinstance(block.get(place), dict):
            full[place] = _with_action_id(block[place])
    return full


def _with_action_id(element: Json) -> Json:
    return element if "action_id" in element or element.get("type") == "image" else element | {"action_id": short_id()}


def elements_of(blocks: list[Json]) -> Iterator[tuple[str, Json]]:
    """Every interactive element with the id of its block."""
    for block in blocks:
        block_id = str(block.get("block_id", ""))
        for element in block.get("elements", ()) if block.get("type") in {"actions", "context_actions"} else ():
            yield block_id, element
        for place in ("accessory", "element"):
            if isinstance(block.get(place), dict) and "action_id" in block[place]:
                yield block_id, block[place]


STATEFUL: dict[str, tuple[str, str]] = {
    "plain_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "users_select": ("selected_user", "initial_user"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "checkboxes": ("selected_options", "initial_options"),
    "radio_buttons": ("selected_option", "initial_option"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "rich_text_input": ("rich_text_value", "initial_value"),
}
"""Elements that hold a value: its key in ``state.values`` and the key of what it starts with."""


def initial_values(blocks: list[Json]) -> Json:
    values: Json = {}
    for block_id, element in elements_of(blocks):
        if keys := STATEFUL.get(str(element.get("type"))):
            key, initial = keys
            empty: Any = [] if key.endswith("s") else None
            value = {"type": element["type"], key: element.get(initial, empty)}
            values.setdefault(block_id, {})[element["action_id"]] = value
    return values
