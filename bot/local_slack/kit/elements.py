"""Buttons, selects and inputs: Slack's rules for each, and where each may stand."""

from __future__ import annotations

from typing import Any

from bot.local_slack.kit.checks import (
    ACTION_ID,
    CONFIRM,
    Check,
    Report,
    anything,
    by_type,
    choice,
    flag,
    integer,
    items,
    plain,
    shape,
    string,
    text,
)

OPTION = shape({"text": text(75), "value": string(150)}, {"description": text(75), "url": string(3000)})
PLAIN_OPTION = shape({"text": plain(75), "value": string(150)}, {"description": plain(75), "url": string(3000)})
GROUP = shape({"label": plain(75), "options": items(PLAIN_OPTION, 100)}, {})

_COMMON: dict[str, Check] = {"type": anything, "action_id": ACTION_ID}
_MENU: dict[str, Check] = {"placeholder": plain(150), "confirm": CONFIRM, "focus_on_load": flag}
_MANY: dict[str, Check] = {"max_selected_items": integer(1, 1000)}
_INPUT: dict[str, Check] = {"placeholder": plain(150), "focus_on_load": flag, "dispatch_action_config": anything}


def _options_or_groups(value: Any, at: str, report: Report) -> None:
    if ("options" in value) is ("option_groups" in value):
        report.add("must define either `options` or `option_groups`", at)


def _initial_offered(value: Any, at: str, report: Report) -> None:
    """What is chosen from the start must be, whole, one of the options."""
    groups = value.get("option_groups") or []
    offered = list(value.get("options") or [])
    for group in groups if isinstance(groups, list) else []:
        offered += group.get("options", []) if isinstance(group, dict) else []
    if (one := value.get("initial_option")) is not None and one not in offered:
        report.add("must match an option in `options`", f"{at}/initial_option")
    many = value.get("initial_options")
    if isinstance(many, list) and any(item not in offered for item in many):
        report.add("must match options in `options`", f"{at}/initial_options")


def _element(optional: dict[str, Check], *more: Check, required: dict[str, Check] | None = None) -> Check:
    return shape({"type": anything, **(required or {})}, {**_COMMON, **optional}, *more)


BUTTON = _element(
    {
        "url": string(3000),
        "value": string(2000),
        "style": choice("primary", "danger"),
        "confirm": CONFIRM,
        "accessibility_label": string(75),
        "visible_to_user_ids": items(string(255), 100),
        "agent_prompt": string(4000),
    },
    required={"text": plain(75)},
)
IMAGE = shape({"type": anything, "alt_text": string(2000)}, {"image_url": string(3000), "slack_file": anything})
OVERFLOW = _element({"confirm": CONFIRM}, required={"options": items(PLAIN_OPTION, 5)})
CHOICES = {
    "checkboxes": _element(
        {"initial_options": items(OPTION, 10), "confirm": CONFIRM, "focus_on_load": flag},
        _initial_offered,
        required={"options": items(OPTION, 10)},
    ),
    "radio_buttons": _element(
        {"initial_option": OPTION, "confirm": CONFIRM, "focus_on_load": flag},
        _initial_offered,
        required={"options": items(OPTION, 10)},
    ),
}
PICKERS = {
    "datepicker": _element({**_MENU, "initial_date": string(10)}),
    "timepicker": _element({**_MENU, "initial_time": string(5), "timezone": string(255)}),
    "datetimepicker": _element({**_MENU, "initial_date_time": integer(1_000_000_000, 9_999_999_999)}),
}
SELECTS = {
    "static_select": _element(
        {
            **_MENU,
            "options": items(PLAIN_OPTION, 100),
            "option_groups": items(GROUP, 100),
            "initial_option": PLAIN_OPTION,
        },
        _options_or_groups,
        _initial_offered,
    ),
    "external_select": _element({**_MENU, "initial_option": PLAIN_OPTION, "min_query_length": integer(0, 100)}),
    "users_select": _element({**_MENU, "initial_user": string(255)}),
    "conversations_select": _element(
        {
            **_MENU,
            "initial_conversation": string(255),
            "default_to_current_conversation": flag,
            "response_url_enabled": flag,
            "filter": anything,
        }
    ),
    "channels_select": _element({**_MENU, "initial_channel": string(255), "response_url_enabled": flag}),
}
MULTI_SELECTS = {
    "multi_static_select": _element(
        {
            **_MENU,
            **_MANY,
            "options": items(PLAIN_OPTION, 100),
            "option_groups": items(GROUP, 100),
            "initial_options": items(PLAIN_OPTION, 100),
        },
        _options_or_groups,
        _initial_offered,
    ),
    "multi_external_select": _element(
        {**_MENU, **_MANY, "initial_options": items(PLAIN_OPTION, 100), "min_query_length": integer(0, 100)}
    ),
    "multi_users_select": _element({**_MENU, **_MANY, "initial_users": items(string(255), 1000)}),
    "multi_conversations_select": _element(
        {
            **_MENU,
            **_MANY,
            "initial_conversations": items(string(255), 1000),
            "default_to_current_conversation": flag,
            "filter": anything,
        }
    ),
    "multi_channels_select": _element({**_MENU, **_MANY, "initial_channels": items(string(255), 1000)}),
}
INPUTS = {
    "plain_text_input": _element(
        {
            **_INPUT,
            "initial_value": string(3000),
            "multiline": flag,
            "min_length": integer(0, 3000),
            "max_length": integer(1, 3000),
        }
    ),
    "number_input": _element(
        {**_INPUT, "initial_value": string(255), "min_value": string(255), "max_value": string(255)},
        required={"is_decimal_allowed": flag},
    ),
    "email_text_input": _element({**_INPUT, "initial_value": string(255)}),
    "url_text_input": _element({**_INPUT, "initial_value": string(3000)}),
    "rich_text_input": _element({**_INPUT, "initial_value": anything}),
    "file_input": _element({"filetypes": items(string(20), 100), "max_files": integer(1, 10)}),
}
FEEDBACK = _element({}, required={"positive_button": anything, "negative_button": anything})
ICON_BUTTON = _element(
    {
        "value": string(2000),
        "confirm": CONFIRM,
        "accessibility_label": string(75),
        "visible_to_user_ids": items(string(255), 100),
    },
    required={"icon": choice("trash"), "text": plain(75)},
)

IN_ACTIONS = by_type({"button": BUTTON, "overflow": OVERFLOW, **CHOICES, **PICKERS, **SELECTS, **MULTI_SELECTS})
IN_CONTEXT_ACTIONS = by_type({"feedback_buttons": FEEDBACK, "icon_button": ICON_BUTTON})
IN_SECTION = by_type(
    {
        "button": BUTTON,
        "overflow": OVERFLOW,
        "image": IMAGE,
        **CHOICES,
        **{kind: check for kind, check in PICKERS.items() if kind != "datetimepicker"},
        **SELECTS,
        **MULTI_SELECTS,
    }
)
IN_INPUT = by_type({**INPUTS, **CHOICES, **PICKERS, **SELECTS, **MULTI_SELECTS})
IN_CONTEXT = by_type(
    {
        "image": IMAGE,
        "plain_text": shape({"type": anything, "text": string(3000)}, {"emoji": flag}),
        "mrkdwn": shape({"type": anything, "text": string(3000)}, {"verbatim": flag}),
    }
)
