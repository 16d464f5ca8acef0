"""Escaping, cleaning, cutting, and reading what Slack sends."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.views import Light
from bot.slack import text
from tests.slack.samples import NOW


def test_every_light_has_an_emoji_of_its_own() -> None:
    assert set(text.EMOJI) == set(Light)
    assert len(set(text.EMOJI.values())) == len(Light)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("<!channel> & <@U0BEN>", "&lt;!channel&gt; &amp; &lt;@U0BEN&gt;"),
        ("&lt;", "&amp;lt;"),
        ("\x1b[31mred\x1b[0m \x1b]0;title\x07end", "red end"),
        ("nul\x00 bell\x07", "nul bell"),
        ("\u202egnp.exe\u2066", "gnp.exe"),
        ("two\nlines\r\nthree", "two lines three"),
        ("```rm -rf```", "'''rm -rf'''"),
        ("שלום 👩‍👩‍👧‍👦", "שלום 👩‍👩‍👧‍👦"),
        ("token xoxb-12345678-abcdefgh end", "token ‹token removed› end"),
        ("xapp-1-A0B1-22334455-deadbeef", "‹token removed›"),
        ("half \ud800 a pair", "half a pair"),
    ],
)
def test_a_line(raw: str, shown: str) -> None:
    assert text.line(raw, 200) == shown


def test_what_is_not_a_token_survives() -> None:
    kept = "3f2c1a9b fix/xoxb-test 6d1f2c3e-1111-2222-3333-444455556666 src/xapp.py"
    assert text.line(kept, 200) == kept


def test_code_cannot_leave_its_block() -> None:
    shown = text.fence("a\n```\n<!channel>\n````", 500)
    assert shown.startswith("```\n")
    assert shown.endswith("\n```")
    assert "```" not in shown[3:-3]
    assert "<" not in shown
    assert shown.replace("\u200b", "") == "```\na\n```\n&lt;!channel&gt;\n````\n```"


def test_prose_closes_what_it_opened_and_links_addresses() -> None:
    assert text.prose("see https://a.example/x?y=1&z=2, now", 300) == "see <https://a.example/x?y=1&amp;z=2>, now"
    assert text.prose("`https://a.example`", 300) == "`https://a.example`"
    assert text.prose("```\nls", 300) == "```\nls\n```"
    assert text.prose("<https://evil.example|https://good.example>", 300).startswith("&lt;<https://evil.example>|")


def test_a_cut_leaves_whole_characters() -> None:
    assert text.cut("abcdef", 6) == "abcdef"
    assert text.cut("abcdefg", 6) == "abcde…"
    assert text.cut("e\u0301e\u0301e\u0301", 4) == "e\u0301…"
    assert text.cut("ab👩‍👩‍👧‍👦", 8) == "ab…"
    assert text.cut("🇩🇪🇫🇷", 7) == "🇩🇪…"
    assert text.line("&&&&", 11) == "&amp;&amp;…"


def test_durations_in_words() -> None:
    spans = (timedelta(seconds=-3), timedelta(seconds=40), timedelta(minutes=12), timedelta(hours=3, minutes=5))
    assert [text.words(span) for span in spans] == ["0 s", "40 s", "12 min", "3 h 5 min"]
    assert text.words(timedelta(days=1)) == "1 day"
    assert text.words(timedelta(days=2, hours=4)) == "2 days 4 h"
    assert text.words(timedelta(days=30, hours=4)) == "30 days"
    assert text.ago(timedelta(seconds=3)) == "just now"


def test_times_are_in_the_readers_zone_with_a_fallback() -> None:
    assert text.at(NOW) == "<!date^1795442400^{date_short_pretty} {time}|2026-11-23 14:00 UTC>"


def test_only_real_ids_become_mentions() -> None:
    assert text.person("U0ANA") == "<@U0ANA>"
    assert text.person("<!channel>") == "&lt;!channel&gt;"
    assert text.person("") == "somebody"


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("a &lt;b&gt; &amp; c", "a <b> & c"),
        ("&amp;lt;", "&lt;"),
        ("ask <@U1|ana> in <#C1|general>", "ask @ana in #general"),
        ("<@U1> <!here> <!subteam^S1|@team>", "@U1 @here @team"),
        ("<https://x.example/a|x.example>", "https://x.example/a"),
        ("<mailto:a@b.example|a@b.example>", "a@b.example"),
        ("if a &lt; b: return `c`", "if a < b: return `c`"),
    ],
)
def test_inbound(sent: str, meant: str) -> None:
    assert text.inbound(sent) == meant
