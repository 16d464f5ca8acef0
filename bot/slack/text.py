"""Words for Slack, pure: every string that an agent or a person supplied passes here before Slack sees it.

Lengths are counted in UTF-16 units, the most cautious reading of Slack's limits.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from bot.domain.views import Light

EMOJI: dict[Light, str] = {
    Light.STARTING: "⏳",
    Light.WORKING: "⚙️",
    Light.NEEDS_YOU: "❓",
    Light.REVIEW: "👀",
    Light.MERGING: "🔀",
    Light.STOPPED: "✋",
    Light.PAUSED: "⏸️",
    Light.ASLEEP: "😴",
    Light.LIMITED: "🌙",
    Light.STOPPING: "🛑",
    Light.FAILED: "❌",
    Light.MERGED: "✅",
    Light.ENDED: "🏁",
}
ELLIPSIS = "…"

_ANSI = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[PX^_].*?\x1b\\|\x1b[ -/]*[0-~]?", re.S
)
_BREAKS = re.compile(r"\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
# Control characters, bidi overrides and isolates, invisible operators and tags, lone surrogates, noncharacters.
_HIDDEN = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    r"\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
# A defence for the bot's own credentials only; the runner redacts everything else before it sends.
_OWN_TOKENS = re.compile(r"\b(?:xox[a-z](?:\.xox[a-z])?-|xapp-)[A-Za-z0-9-]{8,}")
_URL = re.compile(r"https?://[^\s<>|\"'`*_~]+[^\s<>|\"'`*_~.,;:!?)\]]")
_CODE_SPAN = re.compile(r"```.*?```|`[^`\n]*`", re.S)
_FENCES = re.compile(r"`{3,}")
_FLAG_LETTERS = "".join(map(chr, range(0x1F1E6, 0x1F200)))
_LINK = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def clean(text: str) -> str:
    """Plain characters only: what no reader can see, or what turns a line around, is dropped."""
    text = _BREAKS.sub("\n", _ANSI.sub("", text))
    return _OWN_TOKENS.sub("‹token removed›", _HIDDEN.sub("", text))


def escape(text: str) -> str:
    return "".join(_ESCAPES.get(ch, ch) for ch in text)


def size(text: str) -> int:
    return len(text) + sum(1 for ch in text if ch > "\uffff")


def _plain_cost(ch: str) -> int:
    return 2 if ch > "\uffff" else 1


def _escaped_cost(ch: str) -> int:
    return len(_ESCAPES[ch]) if ch in _ESCAPES else _plain_cost(ch)


def _joins(text: str, i: int) -> bool:
    """Whether position ``i`` lies inside what a reader sees as one character."""
    ch, before = text[i], text[i - 1]
    if before == "\u200d" or ch == "\u200d" or "\ufe00" <= ch <= "\ufe0f" or "\U0001f3fb" <= ch <= "\U0001f3ff":
        return True
    if ch in _FLAG_LETTERS:
        before_it = text[max(0, i - 64) : i]
        return (len(before_it) - len(before_it.rstrip(_FLAG_LETTERS))) % 2 == 1
    return unicodedata.category(ch) in ("Mn", "Me", "Mc")


def cut(text: str, limit: int, cost: Callable[[str], int] = _plain_cost) -> str:
    """``text`` if it fits, else its beginning and an ellipsis; never half a visible character."""
    used, end = 0, -1
    for i, ch in enumerate(text):
        if end < 0 and used + cost(ch) > limit - 1:
            end = i
        used += cost(ch)
        if used > limit:
            break
    if used <= limit:
        return text
    first = end
    while end > 0 and first - end < 32 and _joins(text, end):
        end -= 1
    return text[:end].rstrip() + ELLIPSIS if end > 0 else ELLIPSIS


def one_line(text: str) -> str:
    return " ".join(clean(text).split())


def first_line(text: str) -> str:
    """The first one that says anything."""
    return next((line for line in clean(text).splitlines() if line.strip()), "")


def plain(text: str, limit: int) -> str:
    """For ``plain_text`` objects: one clean line."""
    return cut(one_line(text), limit)


def line(text: str, limit: int) -> str:
    """One mrkdwn line, which cannot open a code block or a mention."""
    return escape(cut(one_line(text).replace("```", "'''"), limit, _escaped_cost))


def prose(text: str, limit: int) -> str:
    """mrkdwn paragraphs; an open fence is closed, bare addresses become links."""
    body = re.sub(r"\n{3,}", "\n\n", clean(text).strip())
    escaped = escape(cut(body, limit - 4, _escaped_cost))
    if escaped.count("```") % 2:
        escaped += "\n```"
    linked = _outside_code(escaped, lambda part: _URL.sub(lambda m: f"<{m.group()}>", part))
    return linked if size(linked) <= limit else escaped


def _outside_code(text: str, change: Callable[[str], str]) -> str:
    parts, at = [], 0
    for span in _CODE_SPAN.finditer(text):
        parts += [change(text[at : span.start()]), span.group()]
        at = span.end()
    return "".join([*parts, change(text[at:])])


def fence(text: str, limit: int) -> str:
    """A code block that its content cannot leave: a zero-width space parts any three backticks."""
    return fence_part(text, limit)[0]


def fence_part(text: str, limit: int) -> tuple[str, str]:
    """The same, and what it leaves out, in words: ``12 more lines``; empty where it shows all. Cut at a line's end."""
    body = _FENCES.sub(lambda run: "\u200b".join(run.group()), clean(text).strip("\n")) or " "
    shown, left = cut(body, limit - 8, _escaped_cost), ""
    if shown != body:
        whole = shown.rfind("\n")
        if whole > len(shown) // 2:
            shown = shown[:whole]
            left = count(body.count("\n") - shown.count("\n"), "more line")
        else:
            left = count(len(body) - len(shown) + len(ELLIPSIS), "more character")
    return f"```\n{escape(shown)}\n```", left


def inline(text: str, limit: int) -> str:
    """Inline code."""
    body = cut(one_line(text).replace("`", "'") or "-", limit - 2, _escaped_cost)
    return f"`{escape(body)}`"


def hides(text: str) -> bool:
    """Whether there is more in it than a reader can see."""
    return bool(_HIDDEN.search(text) or _ANSI.search(text))


def fits(text: str, limit: int) -> bool:
    """Whether prose or code of this limit shows all of it."""
    return sum(_escaped_cost(ch) for ch in clean(text).strip()) <= limit - 16


# --- people, times, numbers -----------------------------------------------------------------------------------------


def person(who: str) -> str:
    return f"<@{who}>" if re.fullmatch(r"[UW][A-Z0-9]{1,40}", who) else (line(who, 80) or "somebody")


def named(name: str, who: str) -> str:
    """Somebody without calling them; by mention only where the name is not known."""
    return line(name, 80) or person(who)


def words(span: timedelta) -> str:
    """A duration in words: ``40 s``, ``12 min``, ``3 h 5 min``, ``2 days``."""
    seconds = max(0, int(span.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    minutes = seconds // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    unit = "day" if days == 1 else "days"
    return f"{days} {unit} {hours} h" if hours and days < 4 else f"{days} {unit}"


def seconds(span: float) -> str:
    """How long something took: tenths while they matter."""
    return f"{span:.1f} s" if span < 10 else words(timedelta(seconds=round(span)))


def ago(span: timedelta) -> str:
    return f"{words(span)} ago" if span >= timedelta(minutes=1) else "just now"


def _date(moment: datetime, form: str, fallback: str) -> str:
    return f"<!date^{int(moment.timestamp())}^{form}|{moment.astimezone(UTC).strftime(fallback)} UTC>"


def at(moment: datetime) -> str:
    """A moment in the reader's own zone, with its day."""
    return _date(moment, "{date_short_pretty} {time}", "%Y-%m-%d %H:%M")


def clock(moment: datetime) -> str:
    """A moment within the day, in the reader's own zone."""
    return _date(moment, "{time}", "%H:%M")


def count(n: int, one: str, many: str = "") -> str:
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def tokens(n: int) -> str:
    """``812 tokens``, ``12.3k tokens``, ``1.2M tokens``: nobody counts the last of them."""
    for unit, size_of in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if n >= size_of * 0.9995:
            many = n / size_of
            return f"{many:.0f}{unit} tokens" if many >= 99.95 else f"{many:.1f}{unit} tokens".replace(".0", "")
    return count(n, "token")


def money(dollars: float) -> str:
    return f"${dollars:,.2f}" if dollars >= 0.005 or dollars == 0 else "under 1 cent"


def usage(used: int | None, cost: float | None, budget: float | None = None) -> str:
    """``1.2M tokens · $3.40 of $5.00``; empty where the agent tells neither."""
    spent = money(cost) if cost else ""
    if budget is not None:
        spent = f"{spent} of {money(budget)}" if spent else f"budget {money(budget)}"
    return " · ".join(part for part in (tokens(used) if used else "", spent) if part)


def spent(used: int | None, cost: float | None) -> str:
    """The money, else the tokens: all that a line among others has room for."""
    return money(cost) if cost else tokens(used) if used else ""


def some(items: Iterable[str], limit: int) -> str:
    """A comma list of at most ``limit`` items that says how many it left out."""
    every = list(items)
    rest = f" and {len(every) - limit} more" if len(every) > limit else ""
    return ", ".join(every[:limit]) + rest


# --- from Slack -----------------------------------------------------------------------------------------------------


def inbound(text: str) -> str:
    """What a person meant by the text that Slack sent: links and mentions in words, entities unescaped."""

    def words_of(found: re.Match[str]) -> str:
        target, label = found.group(1), found.group(2)
        if target.startswith("@"):
            return f"@{label}" if label else target
        if target.startswith("#"):
            return f"#{label}" if label else target
        if target.startswith("!"):
            return label or "@" + target[1:].split("^")[0]
        if target.startswith("mailto:"):
            return label or target[7:]
        return target

    found = _LINK.sub(words_of, text)
    return found.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").replace("\x00", "")
