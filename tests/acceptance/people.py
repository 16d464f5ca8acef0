"""People in the embedded workspace, as tests act them: they write, click and read through its act-as-a-person API."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

Message = dict[str, Any]
PATIENCE = 30.0
"""Seconds a person waits for something to appear before the test fails with what they saw instead."""


class Refused(Exception):
    """The workspace refused what a person did; carries its answer."""


class Workspace:
    """One running embedded workspace, reached with its person key."""

    def __init__(self, url: str, key: str, people: dict[str, str], http: aiohttp.ClientSession) -> None:
        self.url, self.people, self._http = url.rstrip("/"), people, http
        self._headers = {"Authorization": f"Bearer {key}"}

    @classmethod
    @asynccontextmanager
    async def opened(cls, data_dir: Path) -> AsyncIterator[Workspace]:
        """The workspace that `switchboard up --data-dir` runs."""
        facts = json.loads((data_dir / "workspace" / "workspace.json").read_text())
        async with aiohttp.ClientSession() as http:
            yield cls(facts["url"], facts["person_key"], facts["people"], http)

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        async with self._http.get(self.url + path, params=query, headers=self._headers) as answer:
            body: dict[str, Any] = await answer.json()
            return body

    async def post(self, path: str, **body: Any) -> dict[str, Any]:
        async with self._http.post(self.url + path, json=body, headers=self._headers) as answer:
            reply: dict[str, Any] = await answer.json()
            return reply

    @asynccontextmanager
    async def person(self, name: str) -> AsyncIterator[Person]:
        """Somebody of this workspace with their client open."""
        user = self.people[name]
        async with self._http.ws_connect(
            f"{self.url}/person/events", params={"as": user}, headers=self._headers, max_msg_size=0
        ) as socket:
            someone = Person(self, name, user)
            await someone.look()
            listening = asyncio.create_task(someone.listen(socket), name=f"{name}'s client")
            try:
                yield someone
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)


class Person:
    """What one person sees and does. Everything seen stays in ``messages`` by (channel, ts), as it stands now."""

    def __init__(self, workspace: Workspace, name: str, user: str) -> None:
        self.workspace, self.name, self.id = workspace, name, user
        self.messages: dict[tuple[str, str], Message] = {}
        self.modal: dict[str, Any] | None = None
        self.home: dict[str, Any] | None = None
        self.channels: dict[str, str] = {}
        self._changed = asyncio.Condition()

    # --- seeing ---

    async def look(self) -> None:
        """Read everything there is to read, as a client does when it starts."""
        place = await self.workspace.get("/person/workspace", **{"as": self.id})
        for channel in place["channels"]:
            self.channels[channel["name"]] = channel["id"]
            history = await self.workspace.get("/person/history", **{"as": self.id}, channel=channel["id"], limit="200")
            for message in history.get("messages", []):
                self.messages[channel["id"], message["ts"]] = message
                if message.get("reply_count"):
                    thread = await self.workspace.get(
                        "/person/thread", **{"as": self.id}, channel=channel["id"], ts=message["ts"]
                    )
                    self.messages.update({(channel["id"], reply["ts"]): reply for reply in thread["messages"]})

    async def listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for frame in socket:
            if frame.type is not aiohttp.WSMsgType.TEXT:
                continue
            push = json.loads(frame.data)
            async with self._changed:
                self._take(push)
                self._changed.notify_all()

    def _take(self, push: dict[str, Any]) -> None:
        match push["type"]:
            case "message" | "changed" | "ephemeral" | "ephemeral_changed":
                self.messages[push["channel"], push["message"]["ts"]] = push["message"]
            case "deleted" | "ephemeral_deleted":
                self.messages.pop((push["channel"], push["ts"]), None)
            case "view_opened" | "view_updated" | "view_pushed":
                self.modal = push["view"]
            case "view_closed":
                self.modal = None
            case "home":
                self.home = push["view"]

    async def sees(self, wanted: Callable[[Message], object], what: str = "", patience: float = PATIENCE) -> Message:
        """The newest message for which ``wanted`` holds, now or as soon as it appears."""
        found: Message | None = None

        def there() -> bool:
            nonlocal found
            found = next((m for _, m in sorted(self.messages.items(), reverse=True) if wanted(m)), None)
            return found is not None

        await self._until(there, what or "a message", patience)
        assert found is not None
        return found

    async def sees_text(self, *parts: str, thread: str = "", patience: float = PATIENCE) -> Message:
        """A message that contains every one of ``parts``, anywhere on its card."""
        return await self.sees(
            lambda m: all(part in words(m) for part in parts) and (not thread or m.get("thread_ts") == thread),
            f"a message with {parts}",
            patience,
        )

    async def sees_modal(self, wanted: Callable[[dict[str, Any]], object] = bool) -> dict[str, Any]:
        await self._until(lambda: self.modal is not None and bool(wanted(self.modal)), "a modal", PATIENCE)
        assert self.modal is not None
        return self.modal

    async def _until(self, there: Callable[[], bool], what: str, patience: float) -> None:
        try:
            async with asyncio.timeout(patience), self._changed:
                await self._changed.wait_for(there)
        except TimeoutError:
            seen = "\n".join(f"  {m.get('thread_ts', '-')}> {words(m)[:300]}" for _, m in sorted(self.messages.items()))
            raise AssertionError(f"{self.name} waited {patience:.0f} s for {what} and saw:\n{seen}") from None

    def where(self, message: Message) -> tuple[str, str]:
        """(channel, ts) of a message seen."""
        return next(place for place, seen in self.messages.items() if seen is message or seen["ts"] == message["ts"])

    async def notifications(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.workspace.get("/person/notifications", **{"as": self.id}))[
            "notifications"
        ]
        return found

    # --- doing ---

    async def _do(self, path: str, **body: Any) -> dict[str, Any]:
        reply = await self.workspace.post(f"/person/{path}", **{"as": self.id}, **body)
        if not reply.get("ok"):
            raise Refused(reply)
        return reply

    async def types(self, command: str, text: str = "", channel: str = "sessions") -> dict[str, Any]:
        """A slash command."""
        return await self._do("command", channel=self.channels[channel], command=command, text=text)

    async def says(self, text: str, channel: str = "sessions", thread: str = "") -> str:
        place = self.channels.get(channel, channel)
        ts: str = (await self._do("message", channel=place, text=text, thread_ts=thread))["ts"]
        return ts

    async def clicks(self, message: Message, label: str) -> dict[str, Any]:
        """Press the button that begins with ``label`` on a message seen."""
        return await self.acts(*self.where(message), button(message["blocks"], label))

    async def acts(
        self, channel: str, ts: str, pressed: dict[str, Any], state: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Press this very button; ``state`` is what the card's other controls hold."""
        action = {key: pressed[key] for key in ("block_id", "action_id", "type", "value") if key in pressed}
        more = {"state": {"values": state}} if state else {}
        container = {"type": "message", "channel": channel, "ts": ts}
        return await self._do("action", container=container, action=action, **more)

    async def ticks(self, message: Message, *chosen: str) -> dict[str, Any]:
        """Tick these boxes of a card and send them."""
        for block in message["blocks"]:
            if (boxes := block.get("element") or {}).get("type") == "checkboxes":
                options = [o for o in boxes["options"] if o["text"]["text"].startswith(chosen)]
                state = {block["block_id"]: {boxes["action_id"]: {"type": "checkboxes", "selected_options": options}}}
                return await self.acts(*self.where(message), button(message["blocks"], "Send"), state)
        raise AssertionError(f"no boxes to tick: {words(message)}")

    async def submits(self, **values: Any) -> dict[str, Any]:
        """Fill in the open modal by field (block id, or the part of it after a dot) and submit it."""
        view = await self.sees_modal()
        state: dict[str, dict[str, Any]] = {}
        for block in view["blocks"]:
            if block["type"] != "input" or block["block_id"] not in values:
                continue
            state[block["block_id"]] = {
                block["element"]["action_id"]: _filled(block["element"], values[block["block_id"]])
            }
        return await self._do("view/submit", view_id=view["id"], state={"values": state})


def _filled(element: dict[str, Any], value: Any) -> dict[str, Any]:
    match element["type"]:
        case "static_select" | "radio_buttons":
            option = next(o for o in element["options"] if o["value"] == value or o["text"]["text"] == value)
            return {"type": element["type"], "selected_option": option}
        case "users_select":
            return {"type": element["type"], "selected_user": value}
        case kind:
            return {"type": kind, "value": value}


def words(message: Message) -> str:
    """All that a message says, text and blocks, as one string."""
    return " ".join([message.get("text") or "", *_strings(message.get("blocks") or [])])


def _strings(part: Any) -> list[str]:
    if isinstance(part, list):
        return [text for each in part for text in _strings(each)]
    if isinstance(part, dict):
        own = [part["text"]] if isinstance(part.get("text"), str) else []
        return own + [text for value in part.values() if not isinstance(value, str) for text in _strings(value)]
    return []


def buttons(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every button of a card, in order, each with its block's id."""
    found = []
    for block in blocks:
        elements = [*block.get("elements", []), *([block["accessory"]] if block.get("accessory") else [])]
        found += [{**e, "block_id": block["block_id"]} for e in elements if e.get("type") == "button"]
    return found


def labels(message: Message) -> list[str]:
    return [each["text"]["text"] for each in buttons(message.get("blocks") or [])]


def has_button(message: Message, label: str) -> bool:
    return any(each.startswith(label) for each in labels(message))


def label_of(message: Message, part: str) -> str:
    """The label of the first button that has ``part`` in it."""
    return next(each for each in labels(message) if part in each)


def button(blocks: list[dict[str, Any]], label: str) -> dict[str, Any]:
    for each in buttons(blocks):
        if each["text"]["text"].startswith(label):
            return {key: each[key] for key in ("block_id", "action_id", "type", "value") if key in each}
    raise AssertionError(f"no button {label!r}; there are {[each['text']['text'] for each in buttons(blocks)]}")
