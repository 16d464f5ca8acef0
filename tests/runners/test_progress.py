"""Progress is reduced on the runner: short, redacted, and equal when nothing has changed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.wire.types import Check, CheckState, Commit, FileStat, PlanStep, Share, StepState
from runners.agents.base import PlanChanged, Said, ToolEnded, ToolStarted, UsageChanged
from runners.repo import scope
from runners.runner import progress
from runners.runner.progress import GitFacts, Tally

FACTS = GitFacts("c1", (Commit("c1", "Add search"),), 1, (FileStat("search.py", 3, 0),))


def tally(*updates: object) -> Tally:
    found = Tally()
    for update in updates:
        found = progress.reduce(found, update)  # type: ignore[arg-type]
    return found


def test_the_line_is_the_step_under_way_else_the_tool_else_the_words() -> None:
    said, tool = Said("I look around.\nNow the index."), ToolStarted("1", "Edit search.py")
    plan = PlanChanged((PlanStep("Look", StepState.DONE), PlanStep("Write", StepState.ACTIVE)))
    assert progress.line(tally(said)) == "Now the index."
    assert progress.line(tally(said, tool)) == "Edit search.py"
    assert progress.line(tally(said, tool, plan)) == "Write"


def test_what_a_repo_does_not_share_is_not_in_the_snapshot() -> None:
    found = tally(ToolStarted("1", "Edit search.py"))
    checks = (Check("ls", CheckState.PASSED, 0.1, "search.py"),)
    hidden = progress.snapshot(found, FACTS, checks, Share.NONE)
    assert "search" not in repr(hidden)
    assert (hidden.commit_count, hidden.file_count) == (1, 1)
    assert progress.snapshot(found, FACTS, checks, Share.STAT).files == FACTS.files


def test_a_tool_told_twice_is_counted_once() -> None:
    assert (
        tally(ToolStarted("1", "…"), ToolStarted("1", "Edit a"), ToolEnded("1"), ToolStarted("2", "b")).tool_calls == 2
    )


def test_equal_states_make_equal_snapshots() -> None:
    one = progress.snapshot(tally(Said("a"), Said("b")), FACTS, (), Share.STAT)
    two = progress.snapshot(tally(Said("ab"), UsageChanged()), FACTS, (), Share.STAT)
    assert one == two


@given(
    st.lists(
        st.text(max_size=5000).map(Said) | st.text(max_size=500).map(lambda title: ToolStarted("t", title)), max_size=30
    )
)
def test_a_snapshot_stays_small(updates: list[object]) -> None:
    found = progress.snapshot(tally(*updates), GitFacts(), (), Share.STAT)
    assert len(found.line) <= progress.LINE
    assert "\n" not in found.line
    assert len(found.last_words) <= progress.WORDS + 1
    assert "\0" not in found.last_words


def test_scope_is_judged_by_paths() -> None:
    changed = ["src/a.py", "src/deep/b.py", "ci.yml", "docs/x.md"]
    assert scope.outside(changed, ()) == ()
    assert scope.outside(changed, ("src/**", "docs/")) == ("ci.yml",)
    assert scope.outside(changed, ("/src/", "!src/deep/")) == ("src/deep/b.py", "ci.yml", "docs/x.md")


def test_a_scope_outside_the_worktree_is_none() -> None:
    assert scope.bad_patterns(("src/**", "../../etc", "a/../b", "a..b/")) == ("../../etc", "a/../b")


def test_words_that_would_upset_a_screen_or_the_wire_are_made_plain() -> None:
    found = progress.snapshot(tally(Said("\x1b[31mred\x1b[0m \0 \ud800 ‮ok")), GitFacts(), (), Share.STAT)
    assert found.last_words == found.last_words.encode().decode()
    assert "\x1b" not in found.last_words
    assert found.last_words.startswith("red")
