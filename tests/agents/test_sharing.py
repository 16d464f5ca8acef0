"""What a permission shows where a repository does not share its code: a command in full, an edit without its lines."""

from __future__ import annotations

import pytest

from bot.wire.types import Share
from runners.agents.acp.calls import Call
from runners.agents.acp.permissions import permission_inquiry
from runners.agents.base import Shown

CWD = "/trees/x"
EDIT = Call(
    "Edit `secret/plan.py`",
    "edit",
    ("secret/plan.py",),
    raw={"file_path": "secret/plan.py", "new_string": "SECRET_ALGO=2", "description": "Faster"},
    texts=("Change it like this:\n```python\nSECRET_ALGO=2\n```\nas planned",),
    diffs=(("secret/plan.py", "a=1\nb=1\n", "SECRET_ALGO=2\nb=1\nc=3\n"), ("new.py", "", "x\n")),
)
TOOL = Call(
    "Write secret/plan.py",
    "other",
    raw={"path": "secret/plan.py", "content": "SECRET_ALGO=2", "mode": 7, "lines": ["SECRET_ALGO"], "text": "a\nb"},
)
COMMAND = Call("Run", "execute", raw={"command": "sed -i s/a/b/ secret/plan.py", "description": "Renames it"})


def test_everything_is_shown_where_all_is_shared() -> None:
    words = permission_inquiry(EDIT, CWD).words(Share.FULL)
    assert words.title == "Edit secret/plan.py?"
    assert "+SECRET_ALGO=2" in words.detail
    assert "SECRET_ALGO" in permission_inquiry(TOOL, CWD).words(Share.FULL).detail


def test_stat_shows_paths_and_counts() -> None:
    words = permission_inquiry(EDIT, CWD).words(Share.STAT)
    assert words == Shown(
        "Edit secret/plan.py?",
        "Faster",
        "secret/plan.py +2 −1\nnew.py +1 −0",
    )
    words = permission_inquiry(TOOL, CWD).words(Share.STAT)
    assert words.title == "Write secret/plan.py?"
    assert words.detail == "path: secret/plan.py\ncontent: 1 line\nmode: 7\nlines: 1 entry\ntext: 2 lines"


def test_none_shows_counts_only() -> None:
    words = permission_inquiry(EDIT, CWD).words(Share.NONE)
    assert words == Shown("Edit 1 file?", "Faster", "2 files, +3 −1")
    assert permission_inquiry(TOOL, CWD).words(Share.NONE) == Shown("Go ahead with this step?", "", "5 arguments")


@pytest.mark.parametrize("share", list(Share))
def test_a_command_is_always_shown_exactly(share: Share) -> None:
    words = permission_inquiry(COMMAND, CWD).words(share)
    assert words.detail == "sed -i s/a/b/ secret/plan.py"
    assert words.title == "Run sed -i s/a/b/ secret/plan.py?"
    assert words.context == "Renames it"


@pytest.mark.parametrize("share", [Share.NONE, Share.STAT])
@pytest.mark.parametrize(
    "call",
    [
        Call("Edit", "edit", raw="SECRET_ALGO=2"),
        Call("Edit", "edit", raw={"old_string": "a", "new_string": "SECRET_ALGO"}),
        Call("Edit", "edit", raw=["SECRET_ALGO"]),
        Call("x", "", diffs=(("a", "SECRET_ALGO", ""),)),
        Call("x", "other", texts=("```\nSECRET_ALGO",)),
        Call("x", "other", texts=("so ```SECRET_ALGO``` it is",)),
        Call("x", "edit", texts=("SECRET_ALGO",)),
    ],
)
def test_no_line_of_code_gets_by(call: Call, share: Share) -> None:
    assert "SECRET" not in repr(permission_inquiry(call, CWD).words(share))
