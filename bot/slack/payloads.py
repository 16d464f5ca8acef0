"""Slack's JSON to typed facts. Tolerant: what is not understood is None, and is acknowledged and left alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, cast

from bot.domain.intents import Origin, Surface
from bot.slack.actions import Act, Verb, unpack
from bot.slack.blocks.forms import Context, Form, context_of
from bot.slack.blocks.kit import value_of
from bot.wire.types import PersonId

Json: TypeAlias = Mapping[str, object]


@dataclass(frozen=True)
class Me:
    """The bot, as it must recognise itself."""

    user: str
    bot: str = ""
    team: str = ""


@dataclass(frozen=True)
class Back:
    """The ways to answer one person privately."""

    person: PersonId
    channel: str = ""
    thread_ts: str = ""
    response_url: str = ""
    trigger: str = ""
    ephemeral: bool = False
    """What was clicked is itself a private message: it can be replaced, through ``response_url`` only."""
    view: str = ""
    """Clicked on the Home tab or in a modal: there is no message to answer beside."""


@dataclass(frozen=True)
class Said:
    """Words for the bot: a slash command, a mention or a direct message."""

    words: str
    origin: Origin
    back: Back


@dataclass(frozen=True)
class Replied:
    """A plain message in some thread; perhaps not one of ours."""

    words: str
    origin: Origin
    back: Back


@dataclass(frozen=True)
class Clicked:
    act: Act
    origin: Origin
    back: Back
    picked: Mapping[str, tuple[Act, ...]] = field(default_factory=dict, hash=False)
    """What is ticked in the message or view it was clicked in: block id → options."""


@dataclass(frozen=True)
class Submitted:
    form: Form
    context: Context
    values: Mapping[str, str]
    origin: Origin
    back: Back


@dataclass(frozen=True)
class Shortcut:
    callback: str
    words: str
    """The text of the message it was used on."""
    origin: Origin
    back: Back


@dataclass(frozen=True)
class HomeOpened:
    person: PersonId


@dataclass(frozen=True)
class Deleted:
    """One of the bot's own messages is gone."""

    channel: str
    ts: str


@dataclass(frozen=True)
class PersonChanged:
    user: Json = field(hash=False)


Incoming: TypeAlias = Said | Replied | Clicked | Submitted | Shortcut | HomeOpened | Deleted | PersonChanged


def string(found: object) -> str:
    return found if isinstance(found, str) else ""


def _get(body: Json, *path: str) -> str:
    return string(value_of(body, *path))


def _json(found: object) -> Json:
    return cast(Json, found) if isinstance(found, Mapping) else {}


# --- events ---------------------------------------------------------------------------------------------------------


def event(body: Json, me: Me) -> Incoming | None:
    inner = _json(body.get("event"))
    match inner.get("type"):
        case "app_mention":
            return _mention(inner, _get(body, "event_id"), me)
        case "message":
            return _message(inner, _get(body, "event_id"), me)
        case "app_home_opened" if inner.get("tab", "home") == "home" and _get(inner, "user"):
            return HomeOpened(PersonId(_get(inner, "user")))
        case "user_change":
            return PersonChanged(_json(inner.get("user")))
    return None


def _mention(inner: Json, event_id: str, me: Me) -> Incoming | None:
    if not _by_person(inner, me) or "edited" in inner:
        return None
    origin, back = _where(inner, event_id, "mention")
    return Said(_unmentioned(_get(inner, "text"), me), origin, back)


def _message(inner: Json, event_id: str, me: Me) -> Incoming | None:
    if inner.get("subtype") == "message_deleted":
        return _deleted(inner, me)
    if inner.get("subtype") not in (None, "file_share", "thread_broadcast", "me_message") or not _by_person(inner, me):
        return None
    words = _get(inner, "text")
    mentioned = f"<@{me.user}" in words
    direct = _get(inner, "channel_type") == "im" or _get(inner, "channel").startswith("D")
    if not words.strip() or (mentioned and not direct):
        return None  # a mention in a channel comes a second time, as app_mention
    spoken_to = direct and (mentioned or not inner.get("thread_ts"))
    origin, back = _where(inner, event_id, "mention" if spoken_to else "reply")
    if spoken_to:
        return Said(_unmentioned(words, me), origin, back)
    return Replied(words, origin, back) if origin.thread_ts else None


def _deleted(inner: Json, me: Me) -> Deleted | None:
    gone = _json(inner.get("previous_message"))
    ours = _get(gone, "user") == me.user or (bool(me.bot) and _get(gone, "bot_id") == me.bot)
    channel, ts = _get(inner, "channel"), _get(inner, "deleted_ts") or _get(gone, "ts")
    return Deleted(channel, ts) if ours and channel and ts else None


def _by_person(inner: Json, me: Me) -> bool:
    return not inner.get("bot_id") and _get(inner, "user") not in ("", me.user, "USLACKBOT")


def _where(inner: Json, event_id: str, surface: Surface) -> tuple[Origin, Back]:
    channel, ts, thread = _get(inner, "channel"), _get(inner, "ts"), _get(inner, "thread_ts")
    origin = Origin(event_id or f"message:{channel}:{ts}", surface, channel, thread, ts)
    return origin, Back(PersonId(_get(inner, "user")), channel, thread)


def _unmentioned(words: str, me: Me) -> str:
    """Without the bot's name, which Slack writes as ``<@U…>`` or ``<@U…|name>``."""
    start = words.find(f"<@{me.user}")
    end = words.find(">", start)
    if start < 0 or end < 0:
        return words.strip()
    before, after = words[:start].strip(), words[end + 1 :].lstrip(" \t,:")
    return f"{before} {after}".strip() if before else after


# --- commands, clicks, forms ----------------------------------------------------------------------------------------


def command(body: Json) -> Said | None:
    person, trigger = _get(body, "user_id"), _get(body, "trigger_id")
    if not person:
        return None
    channel = _get(body, "channel_id")
    origin = Origin(f"slash:{trigger or _fingerprint(body)}", "slash", channel)
    back = Back(PersonId(person), channel, response_url=_get(body, "response_url"), trigger=trigger)
    return Said(_get(body, "text"), origin, back)


def action(body: Json) -> Clicked | None:
    actions = body.get("actions")
    first = _json(actions[0]) if isinstance(actions, list) and actions else {}
    act = unpack(first.get("value") or value_of(first, "selected_option", "value"))
    person = _get(body, "user", "id")
    if act is None or not person:
        return None
    box, message = _json(body.get("container")), _json(body.get("message"))
    channel = _get(box, "channel_id") or _get(body, "channel", "id")
    ts = _get(box, "message_ts") or _get(message, "ts")
    thread = _get(box, "thread_ts") or _get(message, "thread_ts")
    view = _get(body, "view", "id")
    key = f"action:{person}:{_get(first, 'action_ts')}:{_get(first, 'action_id')}:{ts or view}"
    back = Back(
        PersonId(person),
        channel,
        thread,
        _get(body, "response_url"),
        _get(body, "trigger_id"),
        bool(box.get("is_ephemeral")),
        view,
    )
    return Clicked(act, Origin(key, "home" if view else "button", channel, thread, ts), back, _picked(body))


def _picked(body: Json) -> dict[str, tuple[Act, ...]]:
    values = _json(value_of(body, "state", "values") or value_of(body, "view", "state", "values"))
    found: dict[str, tuple[Act, ...]] = {}
    for block_id, elements in values.items():
        for element in _json(elements).values():
            ticked = _json(element).get("selected_options")
            acts = [unpack(_json(one).get("value")) for one in ticked] if isinstance(ticked, list) else []
            found[block_id] = tuple(act for act in acts if act is not None and act.verb is Verb.PICK)
    return found


def submission(body: Json) -> Submitted | None:
    view = _json(body.get("view"))
    person = _get(body, "user", "id")
    try:
        form = Form(_get(view, "callback_id"))
    except ValueError:
        return None
    if not person:
        return None
    context = context_of(view.get("private_metadata"))
    values = _values(_json(value_of(view, "state", "values")))
    key = f"view:{_get(view, 'id')}:{_get(body, 'trigger_id') or _fingerprint(view)}"
    origin = Origin(key, "modal", context.channel, context.thread_ts, context.ts)
    back = Back(PersonId(person), context.channel, context.thread_ts, trigger=_get(body, "trigger_id"))
    return Submitted(form, context, values, origin, back)


def _values(blocks: Json) -> dict[str, str]:
    """One string for each field: block id → what was written, chosen or picked."""
    found: dict[str, str] = {}
    for block_id, elements in blocks.items():
        for element in _json(elements).values():
            entry = _json(element)
            chosen = entry.get("value") or value_of(entry, "selected_option", "value") or entry.get("selected_user")
            found[block_id] = string(chosen or _first_ticked(entry)).strip()
    return found


def _first_ticked(entry: Json) -> object:
    ticked = entry.get("selected_options")
    return _json(ticked[0]).get("value") if isinstance(ticked, list) and ticked else None


def shortcut(body: Json) -> Shortcut | None:
    person, message = _get(body, "user", "id"), _json(body.get("message"))
    if not person:
        return None
    channel, ts = _get(body, "channel", "id"), _get(message, "ts") or _get(body, "message_ts")
    thread = _get(message, "thread_ts") or ts
    key = f"shortcut:{_get(body, 'trigger_id') or _get(body, 'action_ts') or _fingerprint(body)}"
    back = Back(PersonId(person), channel, thread, _get(body, "response_url"), _get(body, "trigger_id"))
    origin = Origin(key, "shortcut", channel, thread, ts)
    return Shortcut(_get(body, "callback_id"), _get(message, "text"), origin, back)


def _fingerprint(body: Json) -> str:
    """Stands in for an id where Slack sent none."""
    return hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()[:24]
