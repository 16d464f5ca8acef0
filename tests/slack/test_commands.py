"""What people type."""

from __future__ import annotations

import pytest

from bot.domain.intents import DigestNow, ListSessions, Pause, Reset, Resume, SetPrefs, Start, Status, Stop, Tell
from bot.slack.commands import VERBS, Help, OpenForm, Problem, Words, help_text, looks_like_typo, parse
from bot.wire.types import PersonId


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("", Help()),
        ("help", Help()),
        ("start", OpenForm("start")),
        ("start Add search", Start("Add search")),
        ("START  Add   search\nand tests ", Start("Add   search\nand tests")),
        ("start repo=shop agent=demo Do it", Start("Do it", repo="shop", agent="demo")),
        ("start --repo shop —agent=demo –base dev Do it", Start("Do it", repo="shop", agent="demo", base="dev")),
        ("start paths=“src/**, docs/**” Do it", Start("Do it", scope=("src/**", "docs/**"))),
        ('start --paths "src/**, docs/**" Do it', Start("Do it", scope=("src/**", "docs/**"))),
        ("start reviewer=<@U0BEN|ben> Do it", Start("Do it", reviewer=PersonId("U0BEN"))),
        ("start name=search Do it", Start("Do it", name="search")),
        ("start let x=1 in y", Start("let x=1 in y")),
        ("start here x=1 is wrong", Start("here x=1 is wrong")),
        ("start make a &lt; b for <@U0BEN|ben>", Start("make a < b for @ben")),
        ("list", ListSessions()),
        ("ls", ListSessions()),
        ("list all", ListSessions(everyone=True)),
        ("status", Status()),
        ("status `search`", Status("search")),
        ("stop search", Stop("search")),
        ("stop", Stop("")),
        ("tell search use FTS &amp; tests", Tell("search", "use FTS & tests")),
        ("tell --now search use FTS", Tell("search", "use FTS", now=True)),
        ("tell search —now use FTS", Tell("search", "use FTS", now=True)),
        ("tell now=yes search use FTS", Tell("search", "use FTS", now=True)),
        ("tell search now=no use FTS", Tell("search", "use FTS")),
        ("tell search now use FTS", Tell("search", "now use FTS")),
        ("tell search --nowhere is a word", Tell("search", "--nowhere is a word")),
        ("pause search", Pause("search")),
        ("resume `search`", Resume("search")),
        ("reset", Reset("")),
        ("detach search", Stop("search")),
        ("start budget=5 Do it", Start("Do it", budget=5.0)),
        ("start --budget $2,50 Do it", Start("Do it", budget=2.5)),
        ("start budget=12.5usd Do it", Start("Do it", budget=12.5)),
        ("digest", DigestNow()),
        ("prefs", OpenForm("prefs")),
        ("prefs off", SetPrefs("off")),
        ("prefs digest=every 30m tz=Europe/Berlin", SetPrefs("every 30m", "Europe/Berlin")),
        ("prefs digest=every 2h", SetPrefs("every 2h", None)),
        ("prefs tz=Europe/Berlin", SetPrefs(None, "Europe/Berlin")),
        ("prefs 0 9,13 * * mon-fri", SetPrefs("0 9,13 * * mon-fri")),
    ],
)
def test_meant(said: str, meant: object) -> None:
    assert parse(said, "/session") == meant


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("start rpo=shop Do it", "`repo=`"),
        ("start repo=shop", "`/sb start repo=shop TASK`"),
        ("start repo= Do it", "`repo=` has no value"),
        ("start repo=a repo=b Do it", "twice"),
        ("start reviewer=ben Do it", "pick the person"),
        ("start repo=<!channel> ", "TASK"),
        ("tell search", "`/sb tell NAME TEXT`"),
        ("tell --now search", "`/sb tell NAME TEXT`"),
        ("tell now=perhaps search use FTS", "`now=` takes `yes` or `no`"),
        ("tell now= search use FTS", "`now=` takes `yes` or `no`"),
        ("start budget=much Do it", "`budget=` takes US dollars, such as `budget=5`"),
        ("start budget=0 Do it", "`budget=` takes US dollars"),
        ("start budget=-5 Do it", "`budget=` takes US dollars"),
        ("start budget=inf Do it", "`budget=` takes US dollars"),
        ("start bugdet=5 Do it", "Did you mean `budget=`?"),
        ("list everything please", "`/sb list all`"),
    ],
)
def test_problems_name_the_fix_in_this_workspaces_words(said: str, words: str) -> None:
    found = parse(said, "/sb")
    assert isinstance(found, Problem)
    assert words in found.text
    assert "<!" not in found.text


def test_a_slip_is_told_from_a_prompt() -> None:
    found = parse("stpo", "/sb")
    assert isinstance(found, Words)
    assert "`/sb stop`" in found.problem.text
    assert looks_like_typo("stpo")
    assert not looks_like_typo("use FTS instead")
    assert parse("<!channel>x", "/sb").problem.text.count("<") == 0  # type: ignore[union-attr]


def test_in_a_thread_tell_needs_no_name() -> None:
    assert parse("tell use FTS", "/session", in_thread=True) == Tell("", "use FTS")
    assert parse("tell --now use FTS", "/session", in_thread=True) == Tell("", "use FTS", now=True)
    assert isinstance(parse("tell", "/session", in_thread=True), Problem)


@pytest.mark.parametrize(
    ("slip", "meant"), [("puase", "pause"), ("resum", "resume"), ("rest", "reset"), ("lst", "list")]
)
def test_slips_of_the_new_verbs_are_seen(slip: str, meant: str) -> None:
    found = parse(slip, "/sb")
    assert isinstance(found, Words)
    assert f"Did you mean `/sb {meant}`?" in found.problem.text


def test_help_lists_exactly_what_works() -> None:
    told = help_text("/sb")
    for verb in VERBS:
        assert f"`/sb {verb.usage}`" in told
        assert not isinstance(parse(verb.verb, "/sb"), Words)
    assert "/session" not in told
