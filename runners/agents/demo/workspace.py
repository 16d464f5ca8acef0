"""What the demo agent does to its worktree: look, edit, commit, run a command. All of it is real."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runners.agents.demo.script import ScriptProblem

AUTHOR = ("-c", "user.name=Demo agent", "-c", "user.email=demo-agent@switchboard.invalid", "-c", "commit.gpgsign=false")


@dataclass(frozen=True)
class Ran:
    status: int
    output: str


async def run(cwd: Path, *argv: str) -> Ran:
    process = await asyncio.create_subprocess_exec(
        *argv,
        cwd=cwd,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    try:
        output, _ = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    return Ran(process.returncode or 0, output.decode("utf-8", "replace").strip())


async def facts(cwd: Path) -> dict[str, str]:
    """What the stories mention of a repository."""
    files = await run(cwd, "git", "ls-files")
    last = await run(cwd, "git", "log", "-1", "--format=%s")
    start = await run(cwd, "git", "rev-parse", "--short=9", "HEAD")
    return {
        "files": str(len(files.output.splitlines())) if files.status == 0 else "0",
        "last": last.output[:80] if last.status == 0 else "none yet",
        "start": start.output if start.status == 0 else "HEAD",
    }


async def commit(cwd: Path, subject: str, body: str, paths: Sequence[str]) -> str:
    """The new commit's short id; empty if there was nothing to commit."""
    added = await run(cwd, "git", "add", "--update")
    if paths and added.status == 0:  # new files only by name: a copied .env is not ours to commit
        added = await run(cwd, "git", "add", "--all", "--", *dict.fromkeys(paths))
    if added.status != 0:
        raise ScriptProblem(f"I could not commit: {added.output}")
    if (await run(cwd, "git", "diff", "--cached", "--quiet")).status == 0:
        return ""
    message = [part for words in (subject, body) if words.strip() for part in ("-m", words.strip())]
    done = await run(cwd, "git", *AUTHOR, "commit", "-q", *message)
    if done.status != 0:
        raise ScriptProblem(f"I could not commit: {done.output}")
    return (await run(cwd, "git", "rev-parse", "--short=9", "HEAD")).output


def edit(
    cwd: Path, name: str, text: str, *, append: bool = False, replace: str = "", head: str = ""
) -> tuple[Path, str, str]:
    """Change one file; (path, text before, text after). Never outside the worktree."""
    path = (cwd / name).resolve()
    if not path.is_relative_to(cwd.resolve()):
        raise ScriptProblem(f"{name} lies outside the worktree; I leave it alone.")
    try:
        before = path.read_text(encoding="utf-8") if path.is_file() else head
        after = _edited(before, text, append=append, replace=replace)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(after, encoding="utf-8")
    except (OSError, ValueError) as problem:
        raise ScriptProblem(f"I could not edit {name}: {problem}") from problem
    return path, before, after


def _edited(before: str, text: str, *, append: bool, replace: str) -> str:
    if replace:
        return before.replace(replace, text, 1)
    return before + text if append else text
