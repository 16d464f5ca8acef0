"""An installation for rough handling: odd repositories, broken and scripted agents; nothing in it may break."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from bot.up import sample
from tests.acceptance.parts import Parts, parts
from tests.acceptance.people import Message, Person, has_button, words
from tests.acceptance.story import Story, git

DEMO = [sys.executable, "-m", "runners.agents.demo"]
AS = ("-c", "user.name=Ana", "-c", "user.email=ana@example.com")
Script = Mapping[str, Any]
_LIVE = re.compile(r"<!(?:channel|here|everyone|subteam)|<@U12345678>|[\x00\x1b\u202e]")
"""What of an agent's words must never reach Slack as it was."""


class Rough:
    """What its people do in it. ``ana`` owns the host."""

    def __init__(self, running: Parts, ana: Person, ben: Person) -> None:
        self.running, self.ana, self.ben = running, ana, ben
        self.root = running.root

    async def told(self, command: str, by: Person | None = None) -> str:
        """The private answer to a slash command."""
        person = by or self.ana
        before = set(person.messages)
        await person.types("/session", command)
        return plain(
            await person.sees(
                lambda m: m.get("ephemeral") and person.where(m) not in before, f"an answer to {command[:80]}"
            )
        )

    async def begins(self, name: str, options: str = "", task: str = "Do it") -> Story:
        """A session that is accepted; returns once its card is there."""
        answer = await self.told(f"start repo=playback name={name} {options} {task}".replace("  ", " "))
        assert f"Starting {name} " in answer, answer
        return await self.thread_of(name)

    async def thread_of(self, name: str) -> Story:
        card = await self.ana.sees(
            lambda m: not m.get("ephemeral") and m.get("thread_ts", m["ts"]) == m["ts"] and f"*{name}*" in words(m),
            f"the card of {name}",
        )
        return Story(self.ana, name, card["ts"])

    async def failure(self, name: str) -> str:
        """What the owner is told in the thread of a session that fails."""
        story = await self.thread_of(name)
        return plain(
            await self.ana.sees(lambda m: story.here(m) and f"*{name}* · failed" in words(m), f"the failure of {name}")
        )

    async def question(self, story: Story) -> Message:
        return await self.ana.sees(lambda m: story.here(m) and has_button(m, "Later"), "a question")

    async def settled(self, story: Story, asked: Message, *said: str) -> Message:
        """The same card once its answer has reached the agent."""
        return await self.ana.sees(
            lambda m: m["ts"] == asked["ts"] and all(part in words(m) for part in (*said, "the agent has it")),
            f"the answered card with {said}",
        )

    async def sound(self) -> None:
        """Nothing died, nothing was given up, nobody was shouted at, and a session still runs to its question."""
        story = await self.begins("afterwards", "agent=demo")
        await self.ana.clicks(await story.choice(), "Later")
        assert self.running.ended() == []
        for log in ("bot", "host", "workspace"):
            text = (self.root / f"{log}.log").read_text()
            for sign in ("Traceback", "dead_letter", "desk.failed", "link.event_failed", "never retrieved"):
                assert sign not in text, f"{sign} in {log}.log:\n{text[-3000:]}"
        shown = [words(message) for person in (self.ana, self.ben) for message in person.messages.values()]
        assert [text for text in shown if _LIVE.search(text)] == []


def plain(message: Message) -> str:
    """What it says, whatever is bold or code in it."""
    return re.sub("[`*]", "", words(message))


def repository(path: Path, *, commit: bool = True) -> Path:
    path.mkdir(parents=True)
    git(path, "init", "--quiet", "--initial-branch=main")
    if commit:
        (path / "README.md").write_text("# Here\n")
        git(path, "add", "--all")
        git(path, *AS, "commit", "--quiet", "--message", "Start")
    return path


def odd_repositories(root: Path) -> list[str]:
    """One of each kind, named as it is."""
    repository(root / "young", commit=False)
    inner, outer = repository(root / "library"), repository(root / "modular")
    git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner), "vendor")
    git(outer, *AS, "commit", "--quiet", "--all", "--message", "Add the library")
    git(root, "clone", "--quiet", "--bare", str(root / sample.NAME), "bare")
    (repository(root / "dirty") / "README.md").write_text("half done\n")
    (root / "dirty" / "mine.txt").write_text("not yours\n")
    odd = repository(root / "größe 🚀 שלום")
    git(odd, "branch", "grün-🌿")
    return ["young", "modular", "bare", "dirty", odd.name]


def _toml(text: str | Sequence[str]) -> str:
    return json.dumps(text, ensure_ascii=False)


def configuration(root: Path, scripts: Mapping[str, Script], commands: Mapping[str, Sequence[str]]) -> str:
    lines = ["[host]", "report_every = 0.2"]
    for name, script in scripts.items():
        path = root / f"{name}.json"
        path.write_text(json.dumps(script))
        lines += [
            f"[agents.{name}]",
            f"command = {_toml(DEMO)}",
            f"env = {{ SWITCHBOARD_DEMO_SCRIPT = {_toml(str(path))} }}",
        ]
        lines += ["start_timeout = 2.5"] if script.get("at_start") == "hang" else []
    for name, command in commands.items():
        lines += [f"[agents.{name}]", f"command = {_toml([part.format(root=root) for part in command])}"]
    for name in (sample.NAME, *odd_repositories(root)):
        lines += [
            f"[repos.{_toml(name)}]",
            f"path = {_toml(str(root / name))}",
            'channel = "sessions"',
            'share = "full"',
        ]
    lines += ["[repos.elsewhere]", f"path = {_toml(str(root / sample.NAME))}", 'base = "main"', 'channel = "doomed"']
    text = "\n".join(lines)
    return text.replace(f"[repos.{_toml(sample.NAME)}]", f'[repos.{sample.NAME}]\nbase = "main"')


@asynccontextmanager
async def rough(
    root: Path, scripts: Mapping[str, Script], commands: Mapping[str, Sequence[str]] | None = None
) -> AsyncIterator[Rough]:
    """Running until the block is left; then it must be as sound as before."""
    sample.ensure(root)
    (root / "switchboard.toml").write_text(configuration(root, scripts, commands or {}))
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(parts(root))
        ana = await stack.enter_async_context(running.workspace.person("ana"))
        ben = await stack.enter_async_context(running.workspace.person("ben"))
        scene = Rough(running, ana, ben)
        yield scene
        await scene.sound()


async def run_host(scene: Rough, token: Path) -> tuple[int, str]:
    """A second host with this token, run to its end: exit status and all that it printed."""
    argv = [sys.executable, "-m", "runners.cli", "host", "--bot", scene.running.wire.url, "--token-file", str(token)]
    run = await asyncio.create_subprocess_exec(
        *(*argv, "--data-dir", str(scene.root / "spare")),
        env=scene.running.env,
        cwd=scene.root / "home",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(30):
        said, _ = await run.communicate()
    return run.returncode or 0, said.decode()
