"""What real ACP agents were seen to do, as a table: python -m tests.agents.table [AGENT…]

Each cell is one small story, played by the installed agent in a worktree of its own, its model scripted on loopback.
Install them first: python -m tests.agents.install --all
"""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from bot.wire.types import ALLOW, ALWAYS, APPROVE, DENY, QuestionKind
from runners.agents.acp.adapter import AcpAgent
from runners.agents.base import Answered, AskDoor, Chosen, Inquiry, Launch, UsageChanged
from tests.agents.install import NotInstalled
from tests.agents.peers import PEERS, Make, Peer
from tests.agents.repos import Worktree, make_worktree
from tests.agents.scripted import Calls, Model, Says, scripted
from tests.contract.desk import RecordingDesk
from tests.runners.ask.desk import house

WITHIN = 90.0


class Seen(Exception):
    """It was seen not to work; the words stand in the cell."""


@dataclass
class Stage:
    """One agent, made ready for one story."""

    folder: Path
    make: Make
    model: Model
    worktree: Worktree
    stack: AsyncExitStack

    @property
    def peer(self) -> Peer:
        return self.make(self.model.url, self.folder / "home")

    async def agent(
        self, desk: RecordingDesk, resume: str = "", *, mode: str = "", ask: AskDoor | None = None
    ) -> tuple[AcpAgent, Any]:
        peer = self.peer
        launch = Launch(
            peer.profile, peer.argv, self.worktree.path, self.folder / "agent.log", env=peer.env, profile=peer.profile,
            folder=self.folder, ask=ask, mode=mode or peer.mode,
        )  # fmt: skip
        agent = AcpAgent(launch, desk)
        self.stack.push_async_callback(agent.close)
        return agent, await agent.start(resume)


def all_of(answer: Callable[[Inquiry], Answered]) -> RecordingDesk:
    return RecordingDesk(itertools.repeat(answer))


def allowing(inquiry: Inquiry) -> Answered:
    return Chosen(APPROVE if inquiry.kind is QuestionKind.PLAN else ALLOW)


def need(true: object, words: str) -> None:
    if not true:
        raise Seen(words)


# --- the stories ----------------------------------------------------------------------------------------------------


async def start(stage: Stage) -> str:
    began = time.monotonic()
    _, info = await stage.agent(RecordingDesk())
    return f"{time.monotonic() - began:.1f} s · {info.version}"


async def edit(stage: Stage) -> str:
    path, peer, desk = stage.worktree.path, stage.peer, all_of(allowing)
    commit = peer.shell("git add NOTES.md && git commit -q -m 'Add notes'")
    stage.model.then(peer.write(path / "NOTES.md", "# Notes"), commit, Says("Done."))
    agent, _ = await stage.agent(desk)
    ended = await agent.prompt("Write notes and commit them.")
    need(stage.worktree.subjects() == ["Add notes"], "no commit")
    need(ended.last_words.endswith("Done."), f"ended with {ended.last_words!r}")
    return "yes"


async def permission(stage: Stage) -> str:
    desk = all_of(allowing)
    stage.model.then(stage.peer.shell("touch made.txt"), Says("Done."))
    agent, _ = await stage.agent(desk)
    await agent.prompt("Touch it.")
    need(desk.asked, "not asked")
    need((stage.worktree.path / "made.txt").exists(), "asked, but not run")
    return "exact command" if desk.asked[0].detail == "touch made.txt" else f"“{desk.asked[0].title}”"


async def deny(stage: Stage) -> str:
    desk = all_of(lambda _: Chosen(DENY, "Leave that to Ben."))
    stage.model.then(stage.peer.shell("touch made.txt"), Says("Understood."), Says("Understood."), Says("Understood."))
    agent, _ = await stage.agent(desk)
    await agent.prompt("Touch it.")
    need(not (stage.worktree.path / "made.txt").exists(), "it ran")
    need("Leave that to Ben." in stage.model.heard, "lost")
    return "next prompt, turn ended" if len(stage.model.requests) == 2 else "next prompt"


async def always(stage: Stage) -> str:
    desk = all_of(lambda inquiry: Chosen(ALWAYS if ALWAYS in [o.id for o in inquiry.options] else ALLOW))
    touch = stage.peer.shell("touch made.txt")
    stage.model.then(touch, touch, Says("Done."), touch, Says("Done."))
    agent, _ = await stage.agent(desk)
    await agent.prompt("Touch it twice.")
    need(desk.asked, "not asked")
    if ALWAYS not in [option.id for option in desk.asked[0].options]:
        return "not offered"
    asked = len(desk.asked)
    await agent.close()
    again, _ = await stage.agent(desk)
    await again.prompt("Once more.")
    need(not stage.worktree.dirty().replace("?? made.txt", ""), f"writes into the worktree: {stage.worktree.dirty()}")
    lasts = "this session" if len(desk.asked) > asked else "outlives the session"
    return lasts if asked == 1 else f"asked {asked} times"


async def question(stage: Stage) -> str:
    call = stage.peer.question
    if call is None:
        return "none of its own"
    desk = all_of(lambda i: Chosen(i.options[1].id) if i.kind is QuestionKind.CHOICE else allowing(i))
    stage.model.then(call, Says("Thank you."))
    agent, _ = await stage.agent(desk)
    await agent.prompt("Ask.")
    need(any(i.title == "Which index?" for i in desk.asked), f"asked {[i.title for i in desk.asked]}")
    told = stage.model.heard.rpartition("Which index?")[2]
    need("Tantivy" in told, "the answer was lost")
    return "yes"


async def plan(stage: Stage) -> str:
    call = stage.peer.plan
    if call is None:
        return "none of its own"
    desk = all_of(allowing)
    stage.model.then(call, Says("Begun."))
    agent, _ = await stage.agent(desk, mode=stage.peer.plan_mode)
    await agent.prompt("Plan.")
    need(desk.asked, "not asked")
    need(desk.asked[0].kind is QuestionKind.PLAN, f"asked as {desk.asked[0].kind}")
    need("Leap" in desk.asked[0].detail, f"shows {desk.asked[0].detail!r}")
    return "yes"


async def cancel(stage: Stage) -> str:
    desk = RecordingDesk()
    stage.model.then(stage.peer.shell("touch made.txt"), Says("Hello again."))
    agent, _ = await stage.agent(desk)
    turn = asyncio.create_task(agent.prompt("Touch it."))
    waiting = asyncio.create_task(desk.question())
    await asyncio.wait({turn, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if not waiting.done():
        waiting.cancel()
        raise Seen("not asked")
    await agent.cancel()
    ended = await turn
    need(ended.reason == "cancelled", f"ended as {ended.reason}")
    again = await agent.prompt("Are you there?")
    need(not (stage.worktree.path / "made.txt").exists(), "it ran all the same")
    need(again.last_words.endswith("Hello again."), "dead afterwards")
    return "yes"


async def resume(stage: Stage) -> str:
    stage.model.then(Says("It is about notes."), Says("I remember."))
    agent, info = await stage.agent(RecordingDesk())
    await agent.prompt("What is this about?")
    assert agent._process is not None
    os.killpg(agent._process.pid, signal.SIGKILL)
    await agent.close()
    desk = RecordingDesk()
    again, after = await stage.agent(desk, resume=info.session)
    need(after.resumed, "begins anew")
    need(not desk.updates, "tells its history again")
    await again.prompt("Go on.")
    need("What is this about?" in stage.model.heard, "has forgotten")
    return "after kill -9"


async def steer(stage: Stage) -> str:
    go = asyncio.Event()
    shell = stage.peer.shell("true")
    stage.model.then(Calls(shell.tool, shell.arguments, once=go), Says("As you say."), Says("As you say."))
    agent, _ = await stage.agent(all_of(allowing))
    turn = asyncio.create_task(agent.prompt("Begin."))
    await stage.model.requested(1)
    if not await agent.steer("Use the other one."):
        go.set()
        await turn
        return "no"
    go.set()
    await turn
    need("Use the other one." in stage.model.heard, "lost")
    return "yes"


async def reset(stage: Stage) -> str:
    stage.model.then(Says("Noted."), Says("Hello."))
    agent, _ = await stage.agent(RecordingDesk())
    await agent.prompt("Remember the word rhubarb.")
    await agent.reset()
    await agent.prompt("What was it?")
    need("rhubarb" not in stage.model.heard, "remembers")
    return "yes"


async def usage(stage: Stage) -> str:
    desk = RecordingDesk()
    stage.model.then(Says("One."), Says("Two."))
    agent, _ = await stage.agent(desk)
    for words in ("One?", "Two?"):
        await agent.prompt(words)
    told = desk.of(UsageChanged)
    tokens = [update.tokens for update in told if update.tokens is not None]
    need(tokens == sorted(tokens), f"counts down: {tokens}")
    found = ["tokens" if tokens else ""]
    found += ["context" if any(update.context for update in told) else ""]
    found += ["cost" if any(update.cost is not None for update in told) else ""]
    return ", ".join(filter(None, found)) or "none"


async def files(stage: Stage) -> str:
    path, peer = stage.worktree.path, stage.peer
    stage.model.then(peer.write(path / "NOTES.md", "# Notes"), peer.shell("true"), Says("Done."))
    agent, _ = await stage.agent(all_of(allowing))
    await agent.prompt("Write notes.")
    need((path / "NOTES.md").exists(), "not written")
    return ", ".join(sorted(agent.served)) or "its own"


async def ask_tool(stage: Stage) -> str:
    door = stage.folder / "door"
    door.mkdir(mode=0o700)
    async with house(door) as at:
        desk = RecordingDesk()
        asked = {"question": "Which index?", "options": [{"label": "FTS"}, {"label": "Tantivy"}]}
        stage.model.then(Calls(stage.peer.ask, {"questions": [asked]}), Says("Thank you."))
        agent, _ = await stage.agent(desk, ask=at.door.ask_door)
        turn = asyncio.create_task(agent.prompt("Ask."))
        posted = asyncio.create_task(at.people.question())
        lost = asyncio.create_task(desk.question())
        await asyncio.wait({turn, posted, lost}, return_when=asyncio.FIRST_COMPLETED)
        lost.cancel()
        if not posted.done():
            posted.cancel()
            names = [name for name in stage.model.tools if "ask_human" in name] or stage.model.tools
            raise Seen(f"asks leave first: {desk.asked[0].title}" if desk.asked else f"tools: {names}")
        await at.people.answer(
            posted.result(), next(o.id for o in at.people.asked[posted.result()].options if o.label == "Tantivy")
        )
        await turn
        need("Tantivy" in stage.model.heard.rpartition("Which index?")[2], "the answer was lost")
    return "yes"


STORIES: dict[str, Callable[[Stage], Awaitable[str]]] = {
    "start": start,
    "edit, commit": edit,
    "permission": permission,
    "deny with words": deny,
    "always": always,
    "question": question,
    "plan": plan,
    "cancel, question open": cancel,
    "resume": resume,
    "steer": steer,
    "reset": reset,
    "usage": usage,
    "files, terminal": files,
    "ask tool": ask_tool,
}


@asynccontextmanager
async def staged(make: Make) -> AsyncIterator[Stage]:
    with tempfile.TemporaryDirectory(prefix="sb-", ignore_cleanup_errors=True) as folder:
        async with scripted() as model, AsyncExitStack() as stack:
            place = Path(folder)
            yield Stage(place, make, model, make_worktree(place), stack)


async def seen(make: Make, story: Callable[[Stage], Awaitable[str]]) -> str:
    try:
        async with asyncio.timeout(WITHIN), staged(make) as stage:
            return await story(stage)
    except Seen as words:
        return f"**no**: {words}"
    except TimeoutError:
        return f"**no**: nothing within {WITHIN:.0f} s"
    except Exception as problem:  # noqa: BLE001 - a cell must not take the table with it
        return f"**no**: {type(problem).__name__}: {problem}"


async def main(*names: str) -> int:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    wanted = [name for name in names if name in PEERS] or list(PEERS)
    stories = {name: story for name, story in STORIES.items() if name in names} or STORIES
    print(f"| | {' | '.join(wanted)} |\n|---|{'---|' * len(wanted)}")
    for title, story in stories.items():
        cells = []
        for name in wanted:
            try:
                cells.append((await seen(PEERS[name], story)).replace("|", "¦").replace("\n", " ")[:300])
            except NotInstalled as problem:
                cells.append(str(problem))
        print(f"| {title} | {' | '.join(cells)} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
