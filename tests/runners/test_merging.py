"""Merging on real repositories: no checkout moves, identities are right, a race or a conflict changes nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.wire.types import Person, PersonId
from runners.config import RepoConfig
from runners.errors import MergeProblem
from runners.repo import git, merging
from runners.repo.merging import Landed, MergeOrder
from runners.repo.worktrees import open_worktree
from tests.runners.board import ANA
from tests.runners.places import make_repo, save


def worked(repo: Path, trees: Path, name: str, changes: dict[str, str]) -> str:
    """A session's branch with one commit."""
    tree = open_worktree(RepoConfig("r", repo, base="main"), trees / name, f"switchboard/{name}").path
    for path, text in changes.items():
        (tree / path).write_text(text)
    return save(tree, f"Work on {name}")


def order(repo: Path, name: str, commit: str, **more: object) -> MergeOrder:
    base, records = more.pop("base", "main"), repo.parent / "merges"
    return MergeOrder(repo, name, f"switchboard/{name}", commit, base, ANA, records, **more)  # type: ignore[arg-type]


def shown(repo: Path, what: str, form: str) -> str:
    return git.run(repo, "log", "-1", f"--format={form}", what).strip()


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """``main`` is not checked out: the person works on a branch of their own, with changes not committed."""
    made = make_repo(tmp_path / "repo")
    git.run(made, "switch", "--quiet", "-c", "mine")
    (made / "app.py").write_text("half done")
    return made


def test_a_merge_lands_on_a_base_that_nobody_has_checked_out(repo: Path, tmp_path: Path) -> None:
    commit = worked(repo, tmp_path, "search", {"search.py": "x = 1\n"})
    landed = merging.merge(order(repo, "search", commit, summary="Search works."))
    assert landed == Landed(git.run(repo, "rev-parse", "main").strip(), "main")
    assert shown(repo, "main", "%an <%ae>|%cn|%P").split("|")[:2] == ["Ana <ana@example.com>", "Switchboard"]
    assert shown(repo, "main", "%P").split()[1] == commit
    assert shown(repo, "main", "%B") == "Merge switchboard/search into main\n\nSearch works."
    assert (repo / "app.py").read_text() == "half done"
    assert git.run(repo, "branch", "--show-current").strip() == "mine"
    assert git.run(repo, "config", "user.name").strip() == "Repo Owner"


def test_a_person_without_an_address_gets_one_that_names_them(repo: Path, tmp_path: Path) -> None:
    commit = worked(repo, tmp_path, "search", {"search.py": "x"})
    by = Person(PersonId("U9"), "Ben ‮ 🙂 <x>")
    landed = merging.merge(MergeOrder(repo, "search", "switchboard/search", commit, "main", by, tmp_path / "merges"))
    assert shown(repo, landed.commit, "%ae") == "U9@users.noreply.slack.com"


def test_a_merge_waits_where_the_base_is_checked_out(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    (repo / "notes.txt").write_text("mine")
    before = git.run(repo, "rev-parse", "main")
    commit = worked(repo, tmp_path, "search", {"search.py": "x"})
    landed = merging.merge(order(repo, "search", commit))
    assert landed.branch == "switchboard/merged/search"
    assert landed.look == "git merge --ff-only switchboard/merged/search"
    assert git.run(repo, "rev-parse", "main") == before
    assert git.run(repo, "status", "--porcelain") == "?? notes.txt\n"
    git.run(repo, *landed.look.split()[1:])
    assert (repo / "search.py").exists()


def test_a_second_waiting_merge_goes_on_top_of_the_first(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    first = merging.merge(order(repo, "one", worked(repo, tmp_path, "one", {"one.py": "1"})))
    second = merging.merge(order(repo, "two", worked(repo, tmp_path, "two", {"two.py": "2"})))
    git.run(repo, *first.look.split()[1:])
    git.run(repo, *second.look.split()[1:])
    assert (repo / "one.py").exists()
    assert (repo / "two.py").exists()


def test_a_name_used_again_does_not_lose_a_merge_that_still_waits(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    first = merging.merge(order(repo, "one", worked(repo, tmp_path, "one", {"one.py": "1"})))
    git.run(repo, "branch", "-m", "switchboard/one", "old")
    git.run(repo, "worktree", "remove", str(tmp_path / "one"))
    second = merging.merge(order(repo, "one", worked(repo, tmp_path, "one", {"two.py": "2"})))
    assert second.branch == "switchboard/merged/one-2"
    assert git.commit_of(repo, "switchboard/merged/one") == first.commit


def test_a_clean_checkout_is_brought_along_where_that_is_wanted(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    landed = merging.merge(order(repo, "one", worked(repo, tmp_path, "one", {"one.py": "1"}), fast_forward=True))
    assert landed == Landed(git.run(repo, "rev-parse", "main").strip(), "main")
    assert (repo / "one.py").exists()
    (repo / "dirty.txt").write_text("x")
    waiting = merging.merge(order(repo, "two", worked(repo, tmp_path, "two", {"two.py": "2"}), fast_forward=True))
    assert waiting.branch == "switchboard/merged/two"


def test_a_conflict_names_the_paths_and_the_fix_and_moves_nothing(repo: Path, tmp_path: Path) -> None:
    merging.merge(order(repo, "one", worked(repo, tmp_path, "one", {"README.md": "one"})))
    behind = git.run(repo, "rev-parse", "main~1").strip()
    git.run(repo, "branch", "old-main", behind)
    tree = open_worktree(RepoConfig("r", repo, base="old-main"), tmp_path / "two", "switchboard/two").path
    (tree / "README.md").write_text("two")
    (tree / "ünïcode.md").write_text("two")
    commit = save(tree, "Two")
    before = git.run(repo, "for-each-ref")
    assert merging.conflicts(repo, "main", commit) == ("README.md",)
    with pytest.raises(MergeProblem, match=r"conflicts in README\.md") as caught:
        merging.merge(order(repo, "two", commit))
    assert "Send it back" in caught.value.fix
    assert git.run(repo, "for-each-ref") == before


def test_a_merge_done_again_after_a_crash_is_the_same_merge(repo: Path, tmp_path: Path) -> None:
    commit = worked(repo, tmp_path, "one", {"one.py": "1"})
    first = merging.merge(order(repo, "one", commit))
    assert merging.merge(order(repo, "one", commit)) == first


def test_a_waiting_merge_done_again_after_a_crash_is_the_same_merge(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    commit = worked(repo, tmp_path, "one", {"one.py": "1"})
    first = merging.merge(order(repo, "one", commit))
    assert merging.merge(order(repo, "one", commit)) == first


def test_a_base_that_is_gone_is_told(repo: Path, tmp_path: Path) -> None:
    commit = worked(repo, tmp_path, "one", {"one.py": "1"})
    git.run(repo, "branch", "-m", "main", "trunk")
    with pytest.raises(MergeProblem, match="main is gone"):
        merging.merge(order(repo, "one", commit))


def test_a_base_that_moves_meanwhile_is_left_alone(repo: Path, tmp_path: Path) -> None:
    commit = worked(repo, tmp_path, "one", {"one.py": "1"})
    old = git.run(repo, "rev-parse", "main").strip()
    with pytest.raises(MergeProblem, match="moved"):
        merging._move(order(repo, "one", commit), "main", commit, commit)
    assert git.run(repo, "rev-parse", "main").strip() == old


@pytest.mark.parametrize("name", ["", ".", "<>", " \n", ";:,'\"\\", "\x07", "A\0na"])
def test_a_name_that_git_takes_for_none_is_replaced_by_the_persons_id(repo: Path, tmp_path: Path, name: str) -> None:
    commit = worked(repo, tmp_path, "search", {"search.py": "x"})
    by = Person(PersonId("U9"), name, "<>")
    landed = merging.merge(MergeOrder(repo, "search", "switchboard/search", commit, "main", by, tmp_path / "merges"))
    said = "Ana" if "na" in name else "U9"
    assert shown(repo, landed.commit, "%an <%ae>") == f"{said} <U9@users.noreply.slack.com>"


# --- what may be built on --------------------------------------------------------------------------------------------


def files(repo: Path, commit: str) -> list[str]:
    return git.run(repo, "ls-tree", "--name-only", commit).split()


def test_a_merge_waiting_for_another_base_does_not_come_along(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    git.run(repo, "switch", "--quiet", "-c", "dev")
    (repo / "dev.py").write_text("not for main")
    save(repo, "Dev work")
    one = worked(repo, tmp_path, "one", {"one.py": "1"})
    waiting = merging.merge(order(repo, "one", one, base="dev"))
    assert waiting.branch == "switchboard/merged/one"
    git.run(repo, "switch", "--quiet", "main")
    two = worked(repo, tmp_path, "two", {"two.py": "2"})
    assert files(repo, merging.merge(order(repo, "two", two)).commit) == ["README.md", "app.py", "two.py"]


def test_a_branch_that_only_looks_like_a_waiting_merge_is_not_built_on(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    one = worked(repo, tmp_path, "one", {"one.py": "1"})
    (tmp_path / "one" / "evil.py").write_text("never reviewed")
    save(tmp_path / "one", "Later work")
    git.run(repo, "branch", "switchboard/merged/old", "switchboard/one")
    assert files(repo, merging.merge(order(repo, "one", one)).commit) == ["README.md", "app.py", "one.py"]
    two = worked(repo, tmp_path, "two", {"two.py": "2"})
    assert "evil.py" not in files(repo, merging.merge(order(repo, "two", two)).commit)


def test_a_merge_made_by_somebody_else_is_not_taken_for_ours(tmp_path: Path) -> None:
    """A merge commit of the reviewed commit, with more in it, where Switchboard's own would wait."""
    repo = make_repo(tmp_path / "repo")
    one = worked(repo, tmp_path, "one", {"one.py": "1"})
    git.run(repo, "worktree", "add", "--quiet", "-b", "switchboard/merged/one", str(tmp_path / "forged"), "main")
    git.run(tmp_path / "forged", "merge", "--quiet", "--no-ff", "--no-commit", one)
    (tmp_path / "forged" / "evil.py").write_text("never reviewed")
    save(tmp_path / "forged", "Merge switchboard/one into main")
    landed = merging.merge(order(repo, "one", one))
    assert landed.branch == "switchboard/merged/one-2"
    assert files(repo, landed.commit) == ["README.md", "app.py", "one.py"]


def test_a_waiting_merge_that_somebody_moved_or_deleted_is_not_built_on(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    for name, change in (("one", ("branch", "-D")), ("two", ("branch", "-f"))):
        landed = merging.merge(order(repo, name, worked(repo, tmp_path, name, {f"{name}.py": "1"})))
        git.run(repo, *change, landed.branch, *(["switchboard/two"] if name == "two" else []))
    three = worked(repo, tmp_path, "three", {"three.py": "3"})
    assert files(repo, merging.merge(order(repo, "three", three)).commit) == ["README.md", "app.py", "three.py"]


def test_a_base_that_was_taken_back_does_not_come_back_with_a_waiting_merge(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    (repo / "mistake.py").write_text("x")
    save(repo, "A mistake")
    merging.merge(order(repo, "one", worked(repo, tmp_path, "one", {"one.py": "1"})))
    git.run(repo, "reset", "--quiet", "--hard", "HEAD~1")
    two = worked(repo, tmp_path, "two", {"two.py": "2"})
    assert files(repo, merging.merge(order(repo, "two", two)).commit) == ["README.md", "app.py", "two.py"]


def test_two_merges_at_once_go_on_top_of_each_other(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    orders = [order(repo, name, worked(repo, tmp_path, name, {f"{name}.py": "1"})) for name in ("one", "two", "three")]
    with ThreadPoolExecutor() as pool:
        landed = list(pool.map(merging.merge, orders))
    last = max(landed, key=lambda one: len(files(repo, one.commit)))
    assert files(repo, last.commit) == ["README.md", "app.py", "one.py", "three.py", "two.py"]
    git.run(repo, *last.look.split()[1:])
