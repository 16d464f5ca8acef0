"""switchboard.toml: read into a frozen object, every problem told at once with its key and source."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from bot.wire.types import Share
from runners import config
from runners.agents.profiles import PROFILES
from runners.config import HostConfig, host_config
from runners.errors import ConfigProblems

DOCS = Path(__file__).parents[2] / "docs" / "hosts.md"


def made(text: str, **options: object) -> HostConfig:
    return host_config(tomllib.loads(text), "switchboard.toml", folder=Path("/srv"), **options)  # type: ignore[arg-type]


def problems(text: str, **options: object) -> str:
    with pytest.raises(ConfigProblems) as caught:
        made(text, **options)
    return str(caught.value)


def test_everything_can_be_said() -> None:
    found = made("""
        [host]
        name = "laptop"
        worktrees = "trees"
        report_every = 0.5
        first_port = 30000
        agent = "codex"
        [agents.codex]
        command = ["npx", "@agentclientprotocol/codex-acp"]
        env = { A = "b" }
        title = "Codex"
        login = "Run codex login."
        [repos.playback]
        path = "code/playback"
        base = "dev"
        setup = "uv sync --frozen"
        checks = ["ruff check", ["pytest", "-q", "a b"]]
        copy = [".env"]
        ports = 10
        channel = "sessions"
        agent = "demo"
        scope = ["src/**"]
        share = "full"
        setup_timeout = 60
        check_timeout = 30
        fast_forward = true
        """)
    repo = found.repos["playback"]
    assert found.worktrees == Path("/srv/trees")
    assert found.agents["codex"].command == ("npx", "@agentclientprotocol/codex-acp")
    assert repo.path == Path("/srv/code/playback")
    assert repo.setup == (("uv", "sync", "--frozen"),)
    assert repo.checks == (("ruff", "check"), ("pytest", "-q", "a b"))
    assert (repo.share, repo.ports, repo.fast_forward) == (Share.FULL, 10, True)


def test_nothing_need_be_said() -> None:
    found = made("")
    assert found.agent == "demo"
    assert list(found.agents) == ["demo"]
    assert found.repos == {}


def test_all_problems_are_told_together_each_with_its_key_and_source() -> None:
    words = problems("""
        colour = "blue"
        [host]
        report_every = "often"
        agent = "claude"
        [agents.own]
        [agents.bad]
        command = "unclosed 'quote"
        [repos.a]
        path = 3
        share = "all"
        copy = ["../secret"]
        chekcs = "pytest"
        agent = "nobody"
        checks = [[]]
        fast_forward = "yes"
        """).splitlines()
    expected = (
        "colour", "host.report_every", "agents.own.command", "agents.bad.command", "repos.a.path", "repos.a.share",
        "repos.a.copy", "repos.a.chekcs", "repos.a.agent", "repos.a.checks", "repos.a.fast_forward", "host.agent",
    )  # fmt: skip
    for key in expected:
        assert any(line.startswith(f"switchboard.toml: {key}: ") for line in words), key
    assert any("known: bad, demo, own" in line for line in words)


def test_a_folder_becomes_a_repo_named_after_it() -> None:
    found = made("", repos=[Path("/code/playback"), Path("/code/api.git")], share=Share.FULL)
    assert {name: repo.share for name, repo in found.repos.items()} == {"playback": Share.FULL, "api": Share.FULL}


def test_a_folder_that_the_file_describes_is_not_added_twice() -> None:
    text = '[repos.player]\npath = "/code/playback"\nshare = "none"'
    found = made(text, repos=[Path("/code/playback")], share=Share.FULL)
    assert [(repo.name, repo.share) for repo in found.repos.values()] == [("player", Share.NONE)]


def test_two_folders_of_one_name_are_told_apart() -> None:
    assert "--repo /b/api" in problems("", repos=[Path("/a/api"), Path("/b/api")])


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    bad = tmp_path / "switchboard.toml"
    bad.write_text("[[[")
    with pytest.raises(ConfigProblems, match="not a TOML file"):
        config.load(bad)


@pytest.mark.parametrize(
    "text",
    ["x = " + "[" * 3000 + "]" * 3000, "first_port = " + "9" * 5000, "a = 2026-02-30"],
    ids=["deep", "long", "day"],
)
def test_a_file_that_no_reader_can_take_is_named(tmp_path: Path, text: str) -> None:
    bad = tmp_path / "switchboard.toml"
    bad.write_text(text)
    with pytest.raises(ConfigProblems, match=r"switchboard\.toml: not a TOML file"):
        config.load(bad)


def test_numbers_that_mean_nothing_are_told() -> None:
    for amount in ("inf", "nan", "1e308", "-1"):
        assert "repos.r.budget: " in problems(f'[repos.r]\npath = "."\nbudget = {amount}')
    words = problems("""
        [host]
        first_port = 99999
        report_every = inf
        [repos.r]
        path = "."
        ports = inf
        setup_timeout = 1e300
        """)
    for key in ("host.first_port", "host.report_every", "repos.r.ports", "repos.r.setup_timeout"):
        assert f"switchboard.toml: {key}: " in words, key


def test_words_that_no_program_could_be_given_are_told() -> None:
    words = problems(r"""
        [host]
        name = "lap\u0000top"
        [agents.a]
        command = ["run", "a\u0000b"]
        env = { "A=B" = "x" }
        [agents.b]
        command = "run"
        env = { A = "x\u0000" }
        [repos.r]
        path = "~nobody-here-has-this-name/x"
        base = "--upload-pack=x"
        scope = ["a\u0000"]
        """)
    for key in ("host.name", "agents.a.command", "agents.a.env", "agents.b.env", "repos.r.path", "repos.r.base",
                "repos.r.scope"):  # fmt: skip
        assert f"switchboard.toml: {key}: " in words, key


@pytest.mark.parametrize("name", ["", "a\\nb", "a/../b", "..", "-x", " ", "x" * 101])
def test_a_repositorys_name_must_do_as_a_folders(name: str) -> None:
    assert "is no name for a repository" in problems(f'[repos."{name}"]\npath = "."')


def test_a_folder_without_a_name_is_told() -> None:
    assert "--repo /" in problems("", repos=[Path("/")])


@pytest.mark.parametrize("name", ["playback", "my repo", "søk", "a.b_c-d"])
def test_other_names_will_do(name: str) -> None:
    assert list(made(f'[repos."{name}"]\npath = "."').repos) == [name]


def test_a_missing_folder_is_told_beside_other_problems(tmp_path: Path) -> None:
    file = tmp_path / "switchboard.toml"
    file.write_text('colour = 1\n[repos.r]\npath = "/nope"')
    with pytest.raises(ConfigProblems, match=r"repos\.r\.path: /nope is no folder"):
        config.load(file)
    file.write_text('[repos.r]\npath = "/nope"')
    assert config.load(file).repos["r"].path == Path("/nope"), "alone, it ends no host: the disk may come back"


def test_a_file_that_was_named_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblems, match="does not exist"):
        config.load(tmp_path / "other.toml")


def test_a_profile_is_an_agent_with_what_is_said_over_it() -> None:
    found = made("""
        [agents.mine]
        profile = "gemini"
        model = "gemini-3-pro"
        env = { HTTPS_PROXY = "http://proxy" }
        title = "Mine"
        [agents.opencode]
        mode = "build"
        [agents.fast]
        adapter = "codex"
        model = "small"
        """).agents
    mine, opencode, fast = found["mine"], found["opencode"], found["fast"]
    assert mine.command == ("gemini", "--acp", "--model", "gemini-3-pro")
    assert (mine.profile, mine.adapter, mine.title, mine.env["HTTPS_PROXY"]) == (
        "gemini",
        "acp",
        "Mine",
        "http://proxy",
    )
    assert mine.login.startswith("Run `gemini`")
    assert (opencode.profile, opencode.command, opencode.mode) == ("opencode", ("opencode", "acp"), "build")
    assert (fast.adapter, fast.command, fast.profile) == ("codex", ("codex",), "")


def test_a_command_of_ones_own_is_no_profile_unless_it_says_so() -> None:
    found = made("""
        [agents.claude]
        command = ["npx", "-y", "@agentclientprotocol/claude-agent-acp@0.101.0"]
        [agents.here]
        profile = "opencode"
        command = "/opt/opencode acp"
        """).agents
    assert (found["claude"].adapter, found["claude"].profile) == ("acp", "")
    assert (found["here"].command, found["here"].profile) == (("/opt/opencode", "acp"), "opencode")


def test_what_is_installed_is_offered_without_a_table() -> None:
    both = (PROFILES["opencode"], PROFILES["gemini"])
    assert set(made("", found=both).agents) == {"demo", "opencode", "gemini"}
    named = made('[agents.mine]\nprofile = "gemini"', found=both)
    assert set(named.agents) == {"demo", "mine", "opencode"}


def test_wrong_profiles_and_adapters_are_told() -> None:
    words = problems("""
        [agents.a]
        profile = "gpt"
        [agents.b]
        profile = "opencode"
        adapter = "codex"
        [agents.c]
        adapter = "attach"
        command = "x"
        [repos.r]
        path = "."
        preamble = "x"
        preamble_file = "x.md"
        questions_first = "no"
        budget = 0
        """)
    for key in (
        "agents.a.profile", "agents.b.adapter", "agents.c.adapter", "repos.r.preamble_file",
        "repos.r.questions_first", "repos.r.budget",
    ):  # fmt: skip
        assert f"switchboard.toml: {key}: " in words, key


def test_what_sessions_are_told_and_may_spend() -> None:
    repo = made("""
        [repos.r]
        path = "."
        preamble_file = "rules.md"
        questions_first = false
        budget = 2.5
        """).repos["r"]
    assert (repo.preamble_file, repo.questions_first, repo.budget) == (Path("/srv/rules.md"), False, 2.5)


def test_an_agents_environment_is_not_in_a_repr() -> None:
    found = made('[agents.a]\ncommand = "a"\nenv = { KEY = "hunter2" }')
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize("keys", [config._HOST_KEYS, config._AGENT_KEYS, config._REPO_KEYS])
def test_every_key_is_in_the_docs(keys: set[str]) -> None:
    named = set(re.findall(r"`([a-z_]+)`", DOCS.read_text("utf-8")))
    assert keys - named == set()


def test_the_example_in_the_docs_is_valid() -> None:
    example = DOCS.read_text("utf-8").split("```toml\n")[1].split("```")[0]
    found = made(example)
    assert found.repos["playback"].checks == (("ruff", "check"), ("pytest", "-q"))
    assert found.repos["playback"].agent == "codex"


def test_every_option_is_in_the_docs() -> None:
    from runners.cli import host

    shown = [option for param in host.params if not getattr(param, "hidden", False) for option in param.opts]
    assert [option for option in shown if f"`{option}" not in DOCS.read_text("utf-8")] == []
