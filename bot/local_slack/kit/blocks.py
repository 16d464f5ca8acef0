"""The blocks of messages, modals and Home tabs, and views as a whole."""

from __future__ import annotations

import json
from typing import Any

from bot.local_slack.kit.checks import (
    BLOCK_ID,
    Check,
    Report,
    anything,
    by_type,
    choice,
    flag,
    items,
    plain,
    shape,
    string,
    text,
)
from bot.local_slack.kit.elements import IN_ACTIONS, IN_CONTEXT, IN_CONTEXT_ACTIONS, IN_INPUT, IN_SECTION

MOST_IN_MESSAGE = 50
MOST_IN_VIEW = 100
LONGEST_MARKDOWN = 12_000
LARGEST_VIEW = 250 * 1024


def _block(required: dict[str, Check], optional: dict[str, Check] | None = None, *more: Check) -> Check:
    return shape({"type": anything, **required}, {"block_id": BLOCK_ID, **(optional or {})}, *more)


def _text_or_fields(value: Any, at: str, report: Report) -> None:
    if value.get("text") is None and value.get("fields") is None:
        report.add("missing required field: text", at)


def _markdown_so_far(value: Any, at: str, report: Report) -> None:
    words = value.get("text")
    report.markdown += len(words) if isinstance(words, str) else 0
    if isinstance(words, str) and len(words) <= LONGEST_MARKDOWN < report.markdown:
        report.add(f"markdown blocks must be less than {LONGEST_MARKDOWN + 1} characters together", f"{at}/text")


def _image_source(value: Any, at: str, report: Report) -> None:
    if (value.get("image_url") is None) is (value.get("slack_file") is None):
        report.add("must define either `image_url` or `slack_file`", at)


_RICH_PART = by_type(
    {
        kind: shape(
            {"type": anything, "elements": items(anything, 1000, 0)},
            {"style": anything, "indent": anything, "offset": anything, "border": anything, "language": anything},
        )
        for kind in ("rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote")
    }
)

ANYWHERE: dict[str, Check] = {
    "section": _block(
        {},
        {"text": text(3000), "fields": items(text(2000), 10), "accessory": IN_SECTION, "expand": flag},
        _text_or_fields,
    ),
    "divider": _block({}),
    "header": _block({"text": plain(150)}),
    "actions": _block({"elements": items(IN_ACTIONS, 25)}),
    "context": _block({"elements": items(IN_CONTEXT, 10)}),
    "image": _block(
        {"alt_text": string(2000)},
        {"image_url": string(3000), "slack_file": anything, "title": plain(2000)},
        _image_source,
    ),
    "input": _block(
        {"label": plain(2000), "element": IN_INPUT},
        {"dispatch_action": flag, "hint": plain(2000), "optional": flag},
    ),
    "rich_text": _block({"elements": items(_RICH_PART, 1000, 0)}),
    "video": _block(
        {
            "alt_text": string(2000),
            "title": plain(199),
            "thumbnail_url": string(3000),
            "video_url": string(3000),
        },
        {
            "author_name": string(49),
            "description": plain(200),
            "provider_icon_url": string(3000),
            "provider_name": string(200),
            "title_url": string(3000),
        },
    ),
}
_TASK = {
    "task_id": string(255),
    "title": string(256),
    "status": choice("pending", "in_progress", "complete", "error"),
    "details": anything,
    "output": anything,
    "sources": anything,
}
IN_MESSAGES = ANYWHERE | {
    "markdown": _block({"text": string(LONGEST_MARKDOWN)}, None, _markdown_so_far),
    "context_actions": _block({"elements": items(IN_CONTEXT_ACTIONS, 5)}),
    "table": _block({"rows": items(items(anything, 20), 100)}, {"column_settings": items(anything, 20, 0)}),
    "file": _block({"external_id": string(255), "source": choice("remote")}),
    "task_card": _block({"task_id": string(255), "title": string(256)}, _TASK),
    "plan": _block({"title": string(256)}, {"tasks": items(anything, 50, 0)}),
}
_MESSAGE_BLOCKS = items(by_type(IN_MESSAGES), MOST_IN_MESSAGE, 0)
_VIEW_BLOCKS = items(by_type(ANYWHERE), MOST_IN_VIEW, 0)


def _needs_submit(value: Any, at: str, report: Report) -> None:
    blocks = value.get("blocks")
    inputs = isinstance(blocks, list) and any(isinstance(b, dict) and b.get("type") == "input" for b in blocks)
    if inputs and value.get("submit") is None:
        report.add("must define `submit` to use an `input` block in modals", at)


_ANY_VIEW: dict[str, Check] = {
    "private_metadata": string(3000, 0),
    "callback_id": string(255, 0),
    "external_id": string(255, 0),
}
_VIEWS: Check = by_type(
    {
        "modal": shape(
            {"type": anything, "title": plain(24), "blocks": _VIEW_BLOCKS},
            {
                **_ANY_VIEW,
                "submit": plain(24),
                "close": plain(24),
                "clear_on_close": flag,
                "notify_on_close": flag,
                "submit_disabled": flag,
            },
            _needs_submit,
        ),
        "home": shape({"type": anything, "blocks": _VIEW_BLOCKS}, _ANY_VIEW),
    }
)


def message_errors(blocks: Any) -> list[str]:
    """Why Slack would refuse these blocks in a message; nothing if it takes them."""
    report = Report()
    _MESSAGE_BLOCKS(blocks, "/blocks", report)
    return report.errors


def view_errors(view: Any) -> list[str]:
    report = Report()
    _VIEWS(view, "/view", report)
    return report.errors


def view_too_large(view: Any) -> bool:
    return len(json.dumps(view, ensure_ascii=False).encode()) > LARGEST_VIEW
