"""Everything the workspace holds, in memory for reading and noted in the store for keeping."""

from __future__ import annotations

import secrets
from bisect import bisect_left, insort
from collections import defaultdict

from bot.local_slack.ids import Timestamps, new_id, new_token
from bot.local_slack.models import (
    Channel,
    File,
    Json,
    Message,
    Notification,
    PendingEvent,
    Person,
    ResponseUrl,
    View,
)
from bot.local_slack.store import Store


class State:
    """Plain dictionaries to read from; every change goes through a ``save_…`` or ``drop_…`` so that it is kept."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.meta: Json = {}
        self.people: dict[str, Person] = {}
        self.channels: dict[str, Channel] = {}
        self.messages: dict[tuple[str, str], Message] = {}
        self.timeline: dict[str, list[str]] = defaultdict(list)
        """Per channel, the timestamps of everything in it, oldest first; ephemerals too."""
        self.replies: dict[tuple[str, str], list[str]] = defaultdict(list)
        self.modals: dict[str, list[View]] = {}
        """Per person, the stack of open modals, topmost last."""
        self.homes: dict[str, View] = {}
        self.files: dict[str, File] = {}
        self.notifications: list[Notification] = []
        self.reads: dict[tuple[str, str], str] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.pending: dict[str, PendingEvent] = {}
        self.timestamps = Timestamps()

    async def load(self) -> None:
        for kind, key, value in await self.store.rows():
            match kind:
                case "meta":
                    self.meta = value
                case "person":
                    self.people[key] = Person.from_json(value)
                case "channel":
                    self.channels[key] = Channel.from_json(value)
                case "message":
                    self._index(Message.from_json(value))
                case "modals":
                    self.modals[key] = [View.from_json(view) for view in value["views"]]
                case "home":
                    self.homes[key] = View.from_json(value)
                case "file":
                    self.files[key] = File.from_json(value)
                case "notification":
                    self.notifications.append(Notification.from_json(value))
                case "read":
                    person, _, channel = key.partition("/")
                    self.reads[person, channel] = value["ts"]
                case "response_url":
                    self.response_urls[key] = ResponseUrl.from_json(value)
                case "pending":
                    self.pending[key] = PendingEvent.from_json(value)
        self.notifications.sort(key=lambda found: found.at)
        # The last timestamp ever given, so that a deleted newest message's is not given again.
        self.timestamps.saw(str(self.meta.get("last_ts", "0.000000")))

    def first_run(self) -> bool:
        return not self.meta

    def make_identity(self) -> None:
        """The ids, tokens and secrets that stay the same across restarts."""
        number = secrets.randbelow(10**12)
        self.meta = {
            "team_id": new_id("T"),
            "app_id": new_id("A"),
            "bot_token": f"xoxb-{number}-{new_token()}",
            "app_token": f"xapp-1-{new_id('A')}-{number}-{new_token()}",
            "signing_secret": new_token(size=16),
            "verification_token": new_token(size=12),
            "person_key": new_token(),
            "cookie": new_token(),
        }
        self.save_meta()

    # --- saving -------------------------------------------------------------------------------

    def save_meta(self) -> None:
        self.store.put("meta", "meta", self.meta)

    def next_ts(self, now: float) -> str:
        ts = self.timestamps.next(now)
        self.meta["last_ts"] = ts
        self.save_meta()
        return ts

    def save_person(self, person: Person) -> None:
        self.people[person.id] = person
        self.store.put("person", person.id, person.to_json())

    def save_channel(self, channel: Channel) -> None:
        self.channels[channel.id] = channel
        self.store.put("channel", channel.id, channel.to_json())

    def save_message(self, message: Message) -> None:
        if (message.channel, message.ts) not in self.messages:
            self._index(message)
        self.store.put("message", f"{message.channel}/{message.ts}", message.to_json())

    def drop_message(self, message: Message) -> None:
        del self.messages[message.channel, message.ts]
        _remove(self.timeline[message.channel], message.ts)
        if message.is_reply and not message.to:
            _remove(self.replies[message.channel, message.thread_ts], message.ts)
        self.store.drop("message", f"{message.channel}/{message.ts}")

    def save_modals(self, person: str) -> None:
        if stack := self.modals.get(person):
            self.store.put("modals", person, {"views": [view.to_json() for view in stack]})
        else:
            self.modals.pop(person, None)
            self.store.drop("modals", person)

    def save_home(self, view: View) -> None:
        self.homes[view.person] = view
        self.store.put("home", view.person, view.to_json())

    def save_file(self, file: File) -> None:
        self.files[file.id] = file
        self.store.put("file", file.id, file.to_json())

    def add_notification(self, notification: Notification) -> None:
        self.notifications.append(notification)
        self.store.put("notification", notification.id, notification.to_json())

    def save_read(self, person: str, channel: str, ts: str) -> None:
        self.reads[person, channel] = ts
        self.store.put("read", f"{person}/{channel}", {"ts": ts})

    def save_response_url(self, url: ResponseUrl) -> None:
        self.response_urls[url.token] = url
        self.store.put("response_url", url.token, url.to_json())

    def drop_response_url(self, url: ResponseUrl) -> None:
        self.response_urls.pop(url.token, None)
        self.store.drop("response_url", url.token)

    def save_pending(self, event: PendingEvent) -> None:
        self.pending[event.event_id] = event
        self.store.put("pending", event.event_id, event.to_json())

    def drop_pending(self, event: PendingEvent) -> None:
        self.pending.pop(event.event_id, None)
        self.store.drop("pending", event.event_id)

    # --- finding ------------------------------------------------------------------------------

    @property
    def bot(self) -> Person:
        return self.people[self.meta["bot_user"]]

    @property
    def team_id(self) -> str:
        return str(self.meta["team_id"])

    def im(self, one: str, other: str) -> Channel | None:
        wanted = sorted({one, other})
        return next((c for c in self.channels.values() if c.kind == "im" and sorted(c.members) == wanted), None)

    def thread(self, channel: str, ts: str) -> list[Message]:
        """The replies that everybody sees, oldest first."""
        return [self.messages[channel, reply] for reply in self.replies.get((channel, ts), ())]

    def view(self, person: str, view_id: str) -> View | None:
        views = [*self.modals.get(person, ()), *([self.homes[person]] if person in self.homes else [])]
        return next((view for view in views if view.id == view_id), None)

    def views(self) -> list[View]:
        return [*(view for stack in self.modals.values() for view in stack), *self.homes.values()]

    def _index(self, message: Message) -> None:
        self.messages[message.channel, message.ts] = message
        insort(self.timeline[message.channel], message.ts, key=_order)
        if message.is_reply and not message.to:
            insort(self.replies[message.channel, message.thread_ts], message.ts, key=_order)
        self.timestamps.saw(message.ts)


def _order(ts: str) -> tuple[int, str]:
    return len(ts), ts


def _remove(ordered: list[str], ts: str) -> None:
    at = bisect_left(ordered, _order(ts), key=_order)
    if at < len(ordered) and ordered[at] == ts:
        del ordered[at]
