"""The things a workspace holds. Slack's JSON is the vocabulary here: bodies are kept as Slack would send them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeVar

Json = dict[str, Any]
M = TypeVar("M", bound="Row")


class Row:
    """A dataclass that can be kept as one JSON row."""

    def to_json(self) -> Json:
        return dict(vars(self))

    @classmethod
    def from_json(cls: type[M], value: Json) -> M:
        return cls(**value)


@dataclass
class Person(Row):
    id: str
    name: str
    real_name: str
    tz: str = "UTC"
    email: str = ""
    color: str = "4a7dff"
    guest: Literal["", "multi", "single"] = ""
    is_bot: bool = False
    bot_id: str = ""
    deleted: bool = False
    team_id: str = ""
    updated: int = 0


@dataclass
class Channel(Row):
    id: str
    name: str
    kind: Literal["channel", "im"] = "channel"
    members: list[str] = field(default_factory=list)
    topic: str = ""
    archived: bool = False
    creator: str = ""
    created: int = 0

    def other(self, person: str) -> str:
        """Who is at the other end of a DM; in a DM with oneself, oneself."""
        return next((member for member in self.members if member != person), person)


@dataclass
class Message(Row):
    """``body`` is Slack's JSON without what is worked out when it is shown (reply counts, file links)."""

    channel: str
    ts: str
    body: Json
    to: str = ""
    """The one person who sees it, if the message is ephemeral."""
    followers: list[str] = field(default_factory=list)
    """Who is told of replies, if this is a thread's parent."""

    @property
    def thread_ts(self) -> str:
        return str(self.body.get("thread_ts", ""))

    @property
    def is_reply(self) -> bool:
        return self.thread_ts not in {"", self.ts}

    @property
    def user(self) -> str:
        return str(self.body.get("user", ""))


@dataclass
class View(Row):
    """A modal (with its place in a stack) or a person's Home tab; ``body`` is Slack's view object."""

    id: str
    person: str
    body: Json
    values: Json = field(default_factory=dict)
    response_urls: list[Json] = field(default_factory=list)


@dataclass
class File(Row):
    id: str
    name: str
    title: str
    size: int
    mimetype: str
    user: str
    created: int
    shared: bool = False
    channels: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Notification(Row):
    """One moment at which a real Slack client would have called its person's attention."""

    id: str
    at: float
    person: str
    kind: Literal["dm", "mention", "thread_reply"]
    channel: str
    ts: str
    text: str

    def to_json(self) -> Json:
        return asdict(self)


@dataclass
class ResponseUrl(Row):
    """The right to answer one interaction: five times within half an hour."""

    token: str
    person: str
    channel: str
    expires: float
    uses: int = 0
    message_ts: str = ""
    ephemeral: bool = False
    thread_ts: str = ""


@dataclass
class PendingEvent(Row):
    """An event the app has not acknowledged yet."""

    event_id: str
    envelope_id: str
    payload: Json
    attempt: int = 0
    reason: str = ""
