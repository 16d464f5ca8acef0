"""Worktrees on real repositories: nobody's checkout is touched, nothing is lost, odd repositories are told in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from runners.config import RepoConfig
from runners.errors import WorktreeProblem
from runners.repo import git, worktrees
from runners.repo.worktrees import left_behind, open_worktree, remove_if_clean
from tests.runners.places import make_repo, save


def config(path: Path, **more: object) -> RepoConfig:
    return RepoConfig(name="playback", path=path, **more)  # type: ignore[arg-type]


def refused(repo: RepoConfig, folder: Path, branch: str = "switchboard/x", base: str = "") -> str:
    before = git.run(repo.path, "worktree", "list") if (repo.path / ".git").exists() else ""
    with pytest.raises(WorktreeProblem) as caught:
        open_worktree(repo, folder, branch, base)
    assert caught.value.fix
    if before:
        assert git.run(repo.path, "worktree", "list") == before
    return str(caught.value)


def test_a_dirty_checkout_is_neither_touched_nor_taken_along(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    (repo / "app.py").write_text("half done")
    (repo / "new.txt").write_text("new")
    before = (git.run(repo, "status", "--porcelain"), git.run(repo, "symbolic-ref", "HEAD"))
    opened = open_worktree(config(repo), tmp_path / "tree", "switchboard/search")
    assert (opened.path / "app.py").read_text() == "print('hello')\n"
    assert not (opened.path / "new.txt").exists()
    assert (git.run(repo, "status", "--porcelain"), git.run(repo, "symbolic-ref", "HEAD")) == before
    assert git.run(opened.path, "branch", "--show-current").strip() == "switchboard/search"
    assert opened.base == "main"
    (note,) = opened.aside
    assert note.startswith(f"1 uncommitted change in {repo} stayed there")
    assert "Commit to take" in note
    git.run(repo, "checkout", "--quiet", "--", "app.py")
    assert open_worktree(config(repo), tmp_path / "tree2", "switchboard/clean").aside == ()


@pytest.mark.parametrize("name", ["поиск", "🔎-search", "בדיקה", "zero\u200bwidth", "a+b=c"])
def test_names_beyond_ascii_work(tmp_path: Path, name: str) -> None:
    repo = make_repo(tmp_path / f"repo {name}")
    opened = open_worktree(config(repo), tmp_path / "trees" / name, f"switchboard/{name}")
    (opened.path / f"{name}.txt").write_text("x")
    assert left_behind(opened.path, repo) == (f"{name}.txt",)
    (opened.path / f"{name}.txt").unlink()
    assert remove_if_clean(opened.path, repo) == ()
    assert not opened.path.exists()
    assert git.has_branch(repo, f"switchboard/{name}")


@pytest.mark.parametrize("branch", ["a..b", "with space", "-x", "a~1", "x.lock", "a//b", "@{-1}", "", "a\\b", "end/"])
def test_a_branch_name_that_git_forbids_is_refused(tmp_path: Path, branch: str) -> None:
    assert "branch name" in refused(config(make_repo(tmp_path / "repo")), tmp_path / "tree", branch)


def test_a_base_that_does_not_exist_is_refused_with_those_that_do(tmp_path: Path) -> None:
    words = refused(config(make_repo(tmp_path / "repo")), tmp_path / "tree", base="dev")
    assert "“dev”" in words
    assert "main" in words


def test_a_repository_without_a_commit_is_refused(tmp_path: Path) -> None:
    assert "no commit yet" in refused(config(make_repo(tmp_path / "repo", commit=False)), tmp_path / "tree")


def test_a_folder_that_is_no_repository_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    assert "not a git repository" in refused(config(tmp_path / "plain"), tmp_path / "tree")
    assert "does not exist" in refused(config(tmp_path / "none"), tmp_path / "tree")


def test_a_detached_head_needs_a_base(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    git.run(repo, "checkout", "--quiet", "--detach")
    assert "no branch checked out" in refused(config(repo), tmp_path / "tree")
    assert open_worktree(config(repo, base="main"), tmp_path / "tree", "switchboard/x").base == "main"


def test_a_bare_repository_will_do(tmp_path: Path) -> None:
    git.run(tmp_path, "clone", "--quiet", "--bare", str(make_repo(tmp_path / "repo")), "bare.git")
    opened = open_worktree(config(tmp_path / "bare.git"), tmp_path / "tree", "switchboard/x")
    assert (opened.path / "app.py").exists()
    assert remove_if_clean(opened.path, tmp_path / "bare.git") == ()


def test_a_branch_or_folder_that_is_taken_is_refused(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    git.run(repo, "branch", "switchboard/x")
    assert "already has a branch" in refused(config(repo), tmp_path / "tree")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "mine").write_text("x")
    assert "not empty" in refused(config(repo), tmp_path / "tree", "switchboard/y")
    assert (tmp_path / "tree" / "mine").exists()


def test_submodules_are_initialised_or_noted(tmp_path: Path) -> None:
    inner, repo = make_repo(tmp_path / "inner"), make_repo(tmp_path / "repo")
    git.run(repo, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner), "vendor")
    save(repo, "Add vendor")
    opened = open_worktree(config(repo), tmp_path / "tree", "switchboard/x")
    # Git takes no submodule from a plain folder by default: the worktree is there, its agent is told.
    (note,) = opened.notes
    assert "submodules are missing" in note
    assert "transport 'file' not allowed" in note
    assert "set-up command" in note
    assert remove_if_clean(opened.path, repo) == ()
    allowed = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "protocol.file.allow", "GIT_CONFIG_VALUE_0": "always"}
    with pytest.MonkeyPatch.context() as env:
        for key, value in allowed.items():
            env.setenv(key, value)
        second = open_worktree(config(repo), tmp_path / "tree2", "switchboard/y")
    assert second.notes == ()
    assert (second.path / "vendor" / "app.py").exists()
    assert remove_if_clean(second.path, repo) == ()
    assert not second.path.exists()


def test_copied_files_come_along_and_do_not_count_as_work(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    (repo / ".env").write_text("KEY=1")
    copied = (".env", "conf/missing.ini")
    opened = open_worktree(config(repo, copy=copied), tmp_path / "tree", "switchboard/x")
    assert (opened.path / ".env").read_text() == "KEY=1"
    assert any("conf/missing.ini" in note for note in opened.notes)
    assert left_behind(opened.path, repo, copied) == ()
    (opened.path / ".env").write_text("KEY=2")
    assert remove_if_clean(opened.path, repo, copied) == (".env",)
    assert opened.path.exists()


@pytest.mark.parametrize("change", ["untracked", "edited", "staged"])
def test_a_worktree_with_work_in_it_is_never_removed(tmp_path: Path, change: str) -> None:
    repo = make_repo(tmp_path / "repo")
    tree = open_worktree(config(repo), tmp_path / "tree", "switchboard/x").path
    path = tree / ("new.txt" if change == "untracked" else "app.py")
    path.write_text("work")
    if change == "staged":
        git.run(tree, "add", "app.py")
    assert remove_if_clean(tree, repo) == (path.name,)
    assert path.read_text() == "work"


def test_a_worktree_that_somebody_deleted_is_forgotten(tmp_path: Path) -> None:
    import shutil

    repo = make_repo(tmp_path / "repo")
    tree = open_worktree(config(repo), tmp_path / "tree", "switchboard/x").path
    shutil.rmtree(tree)
    assert remove_if_clean(tree, repo) == ()
    assert str(tree) not in git.run(repo, "worktree", "list")


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    (repo / ".gitattributes").write_text("app.py filter=broken\n")
    save(repo, "A filter")
    git.run(repo, "config", "filter.broken.smudge", "false")
    git.run(repo, "config", "filter.broken.required", "true")
    with pytest.raises(git.GitFailed):
        open_worktree(config(repo), tmp_path / "tree", "switchboard/x")
    assert not (tmp_path / "tree").exists()
    assert not git.has_branch(repo, "switchboard/x")
    assert len(git.run(repo, "worktree", "list").splitlines()) == 1


def test_the_base_of_an_unnamed_repo_is_what_is_checked_out(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    git.run(repo, "switch", "--quiet", "-c", "dev")
    assert worktrees.check_repo(config(repo)) == "dev"


# --- commits that only the worktree holds ----------------------------------------------------------------------------


@pytest.fixture
def vendored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a submodule ``lib`` that git may fetch."""
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "protocol.file.allow")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "always")
    inner, repo = make_repo(tmp_path / "inner"), make_repo(tmp_path / "repo")
    git.run(repo, "submodule", "--quiet", "add", str(inner), "lib")
    save(repo, "Add lib")
    return repo


def own(submodule: Path) -> Path:
    git.run(submodule, "config", "user.name", "Agent")
    git.run(submodule, "config", "user.email", "agent@example.com")
    return submodule


def test_commits_on_no_branch_keep_the_worktree(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    tree = open_worktree(config(repo), tmp_path / "tree", "switchboard/x").path
    git.run(tree, "checkout", "--quiet", "--detach")
    assert left_behind(tree, repo) == ()
    (tree / "new.txt").write_text("work")
    commit = save(tree, "Detached work")
    assert remove_if_clean(tree, repo) == (f"1 commit on no branch, up to {commit[:9]}",)
    git.run(repo, "branch", "rescued", commit)
    assert remove_if_clean(tree, repo) == ()


def test_commits_of_a_submodule_that_are_nowhere_else_keep_the_worktree(tmp_path: Path, vendored: Path) -> None:
    tree = open_worktree(config(vendored), tmp_path / "tree", "switchboard/x").path
    lib = own(tree / "lib")
    git.run(lib, "switch", "--quiet", "-c", "work")
    (lib / "new.txt").write_text("precious")
    save(lib, "Precious")
    save(tree, "Take the new lib")
    assert git.dirty_paths(tree) == ()
    assert remove_if_clean(tree, vendored) == ("1 commit in the submodule lib on no remote",)
    git.run(lib, "push", "--quiet", "origin", "work")
    assert remove_if_clean(tree, vendored) == ()


def test_commits_of_a_submodule_that_is_not_checked_out_any_more_keep_the_worktree(
    tmp_path: Path, vendored: Path
) -> None:
    tree = open_worktree(config(vendored), tmp_path / "tree", "switchboard/x").path
    (own(tree / "lib") / "new.txt").write_text("precious")
    save(tree / "lib", "Precious, on no branch at all")
    git.run(tree, "rm", "--quiet", "-f", "lib")
    save(tree, "Drop lib")
    assert remove_if_clean(tree, vendored) == ("1 commit in the submodule lib on no remote",)


@pytest.mark.parametrize("change", ["edited", "untracked"])
def test_a_dirty_submodule_keeps_the_worktree_whatever_the_configuration_ignores(
    tmp_path: Path, vendored: Path, change: str
) -> None:
    git.run(vendored, "config", "diff.ignoreSubmodules", "all")
    tree = open_worktree(config(vendored), tmp_path / "tree", "switchboard/x").path
    (tree / "lib" / ("new.txt" if change == "untracked" else "app.py")).write_text("work")
    assert remove_if_clean(tree, vendored) == ("lib",)


def test_a_submodule_at_a_commit_that_no_remote_branch_has_counts_for_nothing(tmp_path: Path, vendored: Path) -> None:
    """Pinned by its id: what was fetched so is no work of the session's."""
    inner = tmp_path / "inner"
    git.run(inner, "config", "uploadpack.allowAnySHA1InWant", "true")
    git.run(inner, "switch", "--quiet", "-c", "gone")
    (inner / "new.txt").write_text("x")
    pinned = save(inner, "Pinned")
    git.run(vendored / "lib", "fetch", "--quiet", "origin", pinned)
    git.run(vendored / "lib", "checkout", "--quiet", pinned)
    save(vendored, "Pin lib")
    git.run(inner, "switch", "--quiet", "main")
    git.run(inner, "update-ref", "refs/pull/1/head", pinned)
    git.run(inner, "branch", "-D", "gone")
    tree = open_worktree(config(vendored), tmp_path / "tree", "switchboard/x").path
    assert (tree / "lib" / "new.txt").exists()
    assert remove_if_clean(tree, vendored) == ()


def test_a_repository_made_inside_the_worktree_keeps_it(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    tree = open_worktree(config(repo), tmp_path / "tree", "switchboard/x").path
    make_repo(tree / "nested")
    assert remove_if_clean(tree, repo) == ("nested/",)
    git.run(tree, "add", "nested")
    git.run(tree, "commit", "--quiet", "-m", "Nested")
    assert remove_if_clean(tree, repo) == ("1 commit in the submodule nested on no remote",)
