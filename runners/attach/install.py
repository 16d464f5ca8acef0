"""Adds our hooks to a person's own settings, and takes them out again byte for byte. Blocking."""

from __future__ import annotations

import base64
import difflib
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec import Struct
from platformdirs import user_data_path

from runners.attach import settings
from runners.files import write_atomic


class Kept(Struct, frozen=True):
    """What a settings file was before, to the byte."""

    path: str
    original: str | None
    """Base64; None: there was no such file."""
    written: str
    """Of what we wrote: SHA-256."""
    mode: int = 0o600
    made_folder: bool = False


@dataclass(frozen=True)
class Plan:
    """What would be written where."""

    path: Path
    before: bytes | None
    after: bytes

    @property
    def nothing(self) -> bool:
        return self.before == self.after

    def diff(self) -> str:
        old = (self.before or b"").decode("utf-8", "replace").splitlines()
        new = self.after.decode("utf-8", "replace").splitlines()
        name = str(self.path)
        return "\n".join(
            difflib.unified_diff(old, new, name if self.before is not None else "(no file)", name, "", "", 1, "")
        )


def settings_file(env: Mapping[str, str]) -> Path:
    """The person's own settings of Claude Code; the file itself, where that is a link."""
    folder = env.get("CLAUDE_CONFIG_DIR") or str(Path.home() / ".claude")
    return Path(os.path.realpath(Path(folder) / "settings.json"))


def notes_folder(env: Mapping[str, str]) -> Path:
    """Where the original is kept until it is restored."""
    said = env.get("SWITCHBOARD_INSTALL_DIR", "")
    return Path(said) if said else user_data_path("switchboard") / "installed"


def plan(path: Path, data: Path) -> Plan:
    """Raises SettingsProblem when the file is not what we could add to. Looks, and writes nothing."""
    before = _read(path)
    theirs = settings.decoded(before or b"", str(path))
    bare = settings.without_ours(theirs)
    after = settings.dumped(settings.merged(bare, settings.ours(data), str(path)), before or b"")
    if bare != theirs and settings.merged(bare, settings.ours(data), str(path)) == theirs:
        after = before or after  # they are all there: the file is left as it stands
    return Plan(path, before, after)


def install(planned: Plan, notes: Path) -> None:
    """Keep the original first, then write. An original that is kept already stays the original.

    Raises SettingsProblem where the file cannot be written.
    """
    path, note = planned.path, _note(notes, planned.path)
    notes.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = not path.parent.exists()
    earlier = _kept(note)
    digest = hashlib.sha256(planned.after).hexdigest()
    if earlier is not None and planned.before is not None and _digest(planned.before) == earlier.written:
        kept = msgspec.structs.replace(earlier, written=digest)
    else:
        mode = path.stat().st_mode & 0o777 if planned.before is not None else 0o600
        original = None if planned.before is None else base64.b64encode(planned.before).decode()
        kept = Kept(str(path), original, digest, mode, made)
    write_atomic(note, msgspec.json.encode(kept))
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(path, planned.after, kept.mode)
    except BaseException:
        if earlier is None:
            note.unlink()
        raise


def uninstall(path: Path, notes: Path) -> str:
    """Put the file back as it was; says what was done. Raises SettingsProblem, and can be tried again then."""
    note = _note(notes, path)
    kept, now = _kept(note), _read(path)
    if kept is not None and now is not None and _digest(now) == kept.written:
        said = _restored(path, kept)
    elif now is None:
        said = f"{path} is not there (any more); nothing to take out."
    else:
        said = _taken_out(path, now, edited=kept is not None)
    note.unlink(missing_ok=True)
    return said


def _restored(path: Path, kept: Kept) -> str:
    if kept.original is None:
        _writable(path)
        path.unlink()
        if kept.made_folder and not any(path.parent.iterdir()):
            path.parent.rmdir()
        return f"Removed {path}: it was not there before."
    _write(path, base64.b64decode(kept.original), kept.mode)
    return f"Restored {path} as it was, byte for byte."


def _taken_out(path: Path, now: bytes, *, edited: bool) -> str:
    theirs = settings.decoded(now, str(path))
    left = settings.without_ours(theirs)
    if left == theirs:
        return f"{path} has no hooks of Switchboard."
    _write(path, settings.dumped(left, now), path.stat().st_mode & 0o777)
    why = "It was edited since" if edited else "What it was before is not known"
    return f"{why}: took only Switchboard's hooks out of {path}, and left the rest as it is now."


def _note(notes: Path, path: Path) -> Path:
    return notes / f"{hashlib.sha256(os.fsencode(path)).hexdigest()[:16]}.json"


def _kept(note: Path) -> Kept | None:
    try:
        return msgspec.json.decode(note.read_bytes(), type=Kept)
    except (OSError, msgspec.DecodeError):
        return None


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _read(path: Path) -> bytes | None:
    """None: there is no such file. Raises SettingsProblem."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as err:
        raise settings.SettingsProblem(f"{path} cannot be read: {err.strerror}.", "Nothing was written.") from err


def _write(path: Path, data: bytes, mode: int) -> None:
    """Raises SettingsProblem."""
    _writable(path)
    try:
        write_atomic(path, data)
        path.chmod(mode)
    except OSError as err:
        raise settings.SettingsProblem(f"{path} cannot be written: {err.strerror}.", "It is as it was.") from err


def _writable(path: Path) -> None:
    """A file that its person has made read-only is not replaced behind their back. Raises SettingsProblem."""
    if path.exists() and not path.stat().st_mode & 0o200:
        raise settings.SettingsProblem(
            f"{path} is read-only.", f"chmod u+w {path}, then try again; nothing was written."
        )
