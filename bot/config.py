"""The bot's configuration: a frozen object, made from the environment by a pure function that reports every problem."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from platformdirs import user_data_path

from bot.domain.digests import Schedule, parse_duration, parse_schedule
from bot.errors import ConfigError
from bot.wire.types import PersonId

T = TypeVar("T")

SLACK_API = "https://slack.com/api/"


@dataclass(frozen=True)
class Problem:
    """One thing wrong with one setting."""

    key: str
    what: str
    fix: str

    def __str__(self) -> str:
        return f"{self.key}: {self.what}. {self.fix}"


@dataclass(frozen=True)
class Listen:
    """Where the bot takes connections of hosts and runners, and of Slack in HTTP mode. Port 0 takes any free one."""

    host: str = "127.0.0.1"
    port: int = 8787


@dataclass(frozen=True)
class BotConfig:
    """Everything ``switchboard serve`` needs. Secrets stay out of ``repr``."""

    bot_token: str = field(repr=False)
    app_token: str = field(default="", repr=False)
    """Set: Socket Mode."""
    signing_secret: str = field(default="", repr=False)
    """Used without an app token: HTTP mode."""
    api_url: str = SLACK_API
    data_dir: Path = Path()
    listen: Listen = Listen()
    admins: frozenset[PersonId] = frozenset()
    channel: str = ""
    command: str = "/session"
    digest: Schedule | None = None
    digest_text: str = "every 30m"
    progress_every: timedelta = timedelta(minutes=30)
    log_level: str = "info"

    @property
    def mode(self) -> str:
        return "socket" if self.app_token else "http"


def default_data_dir() -> Path:
    """Where state lives when nothing else is said: the platform's per-user data folder."""
    return user_data_path("switchboard")


def load(env: Mapping[str, str]) -> BotConfig:
    """Read the bot's settings from ``env``. Raises ConfigError that lists every problem, each with key and fix."""
    problems: list[Problem] = []

    def read(key: str, parse: Callable[[str], T], default: T, fix: str) -> T:
        raw = env.get(key, "").strip()
        if not raw:
            return default
        try:
            return parse(raw)
        except ValueError as err:
            problems.append(Problem(key, str(err) or f"{raw!r} is not valid", fix))
            return default

    bot_token = read(
        "SLACK_BOT_TOKEN", _prefixed("xoxb-"), "", "Copy the Bot User OAuth Token from the app's settings."
    )
    app_token = read("SLACK_APP_TOKEN", _prefixed("xapp-"), "", "Copy an app-level token with connections:write.")
    secret = env.get("SLACK_SIGNING_SECRET", "").strip()
    if not env.get("SLACK_BOT_TOKEN", "").strip():
        problems.append(
            Problem("SLACK_BOT_TOKEN", "not set", "Set it to the app's bot token (xoxb-…); see docs/slack.md.")
        )
    if not env.get("SLACK_APP_TOKEN", "").strip() and not secret:
        problems.append(
            Problem(
                "SLACK_APP_TOKEN",
                "not set, and SLACK_SIGNING_SECRET is not set either",
                "Set SLACK_APP_TOKEN (xapp-…) for Socket Mode, or SLACK_SIGNING_SECRET for HTTP mode.",
            )
        )
    digest_text = env.get("SWITCHBOARD_DIGEST", "").strip() or "every 30m"
    config = BotConfig(
        bot_token=bot_token,
        app_token=app_token,
        signing_secret=secret,
        api_url=read("SLACK_API_URL", _url, SLACK_API, "Leave it unset for Slack itself."),
        data_dir=Path(env.get("SWITCHBOARD_DATA_DIR", "").strip() or default_data_dir()),
        listen=read("SWITCHBOARD_LISTEN", _listen, Listen(), "Write HOST:PORT, for example 127.0.0.1:8787."),
        admins=read("SWITCHBOARD_ADMINS", _people, frozenset(), "List Slack member ids: U0123ABC,U0456DEF."),
        channel=env.get("SWITCHBOARD_CHANNEL", "").strip().removeprefix("#"),
        command=read("SWITCHBOARD_COMMAND", slash_command, "/session", "Write it as in the manifest, for example /sb."),
        digest=read(
            "SWITCHBOARD_DIGEST",
            parse_schedule,
            parse_schedule(digest_text) if digest_text == "every 30m" else None,
            "Write `every 30m`, a crontab such as `0 9,13,17 * * mon-fri`, or `off`.",
        ),
        digest_text=digest_text,
        progress_every=read(
            "SWITCHBOARD_PROGRESS_EVERY", parse_duration, timedelta(minutes=30), "Write a duration: 90s, 30m, 2h."
        ),
        log_level=read("SWITCHBOARD_LOG", _level, "info", "Use debug, info, warning or error."),
    )
    if problems:
        raise ConfigError("\n".join(f"  {problem}" for problem in problems))
    return config


def _prefixed(prefix: str) -> Callable[[str], str]:
    def parse(raw: str) -> str:
        if not raw.startswith(prefix):
            raise ValueError(f"does not start with {prefix}")
        return raw

    return parse


def _url(raw: str) -> str:
    if not raw.startswith(("https://", "http://")):
        raise ValueError(f"{raw!r} is not an http(s) address")
    return raw.rstrip("/") + "/"


def _listen(raw: str) -> Listen:
    host, _, port = raw.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"{raw!r} has no valid port")
    return Listen(host.strip("[]") or "127.0.0.1", int(port))


def _people(raw: str) -> frozenset[PersonId]:
    people = [part.strip() for part in raw.split(",") if part.strip()]
    wrong = [person for person in people if not (person[0] in "UW" and person.isalnum())]
    if wrong:
        raise ValueError(f"{', '.join(wrong)}: not a Slack member id")
    return frozenset(PersonId(person) for person in people)


def slash_command(raw: str) -> str:
    """``raw`` with its slash. Raises ValueError for what Slack does not take as a command."""
    name = "/" + raw.removeprefix("/")
    if len(name) > 32 or not name[1:].replace("-", "").replace("_", "").isalnum() or name != name.lower():
        raise ValueError(f"{raw!r} is not a slash command")
    return name


def _level(raw: str) -> str:
    if raw.lower() not in {"debug", "info", "warning", "error"}:
        raise ValueError(f"{raw!r} is not a log level")
    return raw.lower()
