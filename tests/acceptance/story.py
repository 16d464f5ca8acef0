"""The shipped demo story as a person lives it, step by step, for any number of sessions side by side."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.acceptance.people import Message, Person, has_button, label_of, words

SENTENCE = "Search forgives two slips of the finger."


class Story:
    """One session on the sample repository, from its owner's side."""

    def __init__(self, owner: Person, name: str, thread: str) -> None:
        self.owner, self.name, self.thread = owner, name, thread

    @classmethod
    async def begin(cls, owner: Person, name: str = "typos", task: str = "Add typo tolerance to search") -> Story:
        await owner.types("/session", f"start repo=playback name={name} {task}")
        card = await owner.sees(
            lambda m: not m.get("ephemeral") and m.get("blocks") and f"*{name}*" in words(m), "its card"
        )
        return cls(owner, name, card["ts"])

    def here(self, message: Message) -> bool:
        return message.get("thread_ts") == self.thread and message["ts"] != self.thread

    async def card(self, *parts: str) -> Message:
        """The session card, once it says all of ``parts``."""
        return await self.owner.sees(
            lambda m: m["ts"] == self.thread and all(part in words(m) for part in parts), f"the card with {parts}"
        )

    async def choice(self) -> Message:
        return await self.owner.sees(
            lambda m: self.here(m) and "recommended" in words(m) and has_button(m, "Later"), "the choice"
        )

    async def choose(self, choice: Message, by: Person | None = None) -> None:
        await (by or self.owner).clicks(choice, label_of(choice, "recommended"))

    async def chosen(self, choice: Message) -> Message:
        return await self.owner.sees(
            lambda m: m["ts"] == choice["ts"] and not has_button(m, "Later") and "the agent has it" in words(m),
            "the answered choice, applied",
        )

    async def question(self) -> Message:
        return await self.owner.sees(lambda m: self.here(m) and has_button(m, "Answer"), "the text question")

    async def write(self, text: str = SENTENCE) -> None:
        await self.owner.says(text, thread=self.thread)

    async def permission(self) -> Message:
        return await self.owner.sees(lambda m: self.here(m) and has_button(m, "Allow"), "the permission")

    async def review(self, after: str = "") -> Message:
        """The open review card; ``after`` a message's ts: a newer one."""
        return await self.owner.sees(
            lambda m: self.here(m) and m["ts"] > after and has_button(m, "Merge"), "the review"
        )

    async def merged(self, review: Message) -> Message:
        return await self.owner.sees(
            lambda m: m["ts"] == review["ts"] and "merged" in words(m).lower() and not has_button(m, "Merge"),
            "the merge",
        )

    async def to_review(self) -> Message:
        """Answer everything the demo story asks; returns the review card."""
        await self.choose(await self.choice())
        await self.question()
        await self.write()
        await self.owner.clicks(await self.permission(), "Allow")
        return await self.review()

    async def to_merge(self) -> None:
        review = await self.to_review()
        await self.owner.clicks(review, "Merge")
        await self.merged(review)


def git(repo: Path, *argv: str) -> str:
    return subprocess.run(["git", *argv], cwd=repo, capture_output=True, text=True, check=True).stdout.strip()
