"""Paths that an agent names, confined to its worktree. Blocking: run in threads."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import BinaryIO

MOST_READ = 16 * 1024 * 1024


class OutOfBounds(Exception):
    """Refused, in words for the agent."""


class NotThere(Exception):
    """No such file."""


def inside(root: Path, name: str) -> Path:
    """The real path of what is named, symlinks followed. Raises OutOfBounds; git's own folder is out of bounds."""
    if not name or "\0" in name:
        raise OutOfBounds("That is no path.")
    if not name.isprintable() and any("\ud800" <= char <= "\udfff" for char in name):
        raise OutOfBounds("That path is not UTF-8 text.")
    if not os.path.isabs(name):
        raise OutOfBounds(f"{name} is not an absolute path.")
    real_root = Path(os.path.realpath(root))
    try:
        path = Path(os.path.realpath(name))
    except OSError as problem:
        raise OutOfBounds(f"{name} cannot be followed: {problem.strerror}.") from problem
    if not path.is_relative_to(real_root):
        raise OutOfBounds(f"{name} lies outside the worktree {root}; only files inside it are served.")
    if any(part.casefold() == ".git" for part in path.relative_to(real_root).parts):
        raise OutOfBounds(f"{name} belongs to git itself; use git's own commands.")
    return path


def read_text(root: Path, name: str, line: int | None = None, limit: int | None = None) -> str:
    """The file's text, or ``limit`` lines of it from ``line`` on (the first is 1). Raises OutOfBounds, NotThere."""
    path = inside(root, name)
    try:
        with _opened(path, name, os.O_RDONLY) as file:
            if os.fstat(file.fileno()).st_size > MOST_READ:
                most = MOST_READ // 1024 // 1024
                raise OutOfBounds(f"{name} is larger than {most} MB; read it in parts with a command.")
            data = file.read(MOST_READ)
    except FileNotFoundError:
        raise NotThere(f"{name} does not exist.") from None
    except OSError as problem:
        raise OutOfBounds(f"{name} cannot be read: {problem.strerror}.") from problem
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise OutOfBounds(f"{name} is not UTF-8 text.") from None
    if line is None and limit is None:
        return text
    start = max((line or 1) - 1, 0)
    lines = text.splitlines(keepends=True)
    return "".join(lines[start:] if limit is None else lines[start : start + limit])


def write_text(root: Path, name: str, text: str) -> None:
    """Make or replace the file as a whole, and make the folders it is in. Raises OutOfBounds: nothing has changed."""
    path = inside(root, name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with _opened(path, name, os.O_WRONLY) as file:  # it may be written, and its mode is kept
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        except FileNotFoundError:
            mode = None
        _replace(path, text.encode("utf-8", "surrogatepass"), mode)
    except OSError as problem:
        raise OutOfBounds(f"{name} cannot be written: {problem.strerror}.") from problem


def _replace(path: Path, data: bytes, mode: int | None) -> None:
    """Written beside it and renamed: a disk that is full leaves what was there."""
    beside = path.with_name(f".switchboard-{secrets.token_hex(8)}.new")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666), "wb") as file:
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            file.write(data)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _opened(path: Path, name: str, flags: int) -> BinaryIO:
    """A plain file: no pipe that blocks, no device, nothing that became a symlink since it was looked at."""
    fd = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OutOfBounds(f"{name} is no file.")
    return os.fdopen(fd, "wb" if flags & os.O_WRONLY else "rb")


def folder(root: Path, name: str | None) -> Path:
    """Where a command may start. Raises OutOfBounds."""
    path = inside(root, name) if name else root
    if not path.is_dir():
        raise OutOfBounds(f"{name} is no folder.")
    return path
