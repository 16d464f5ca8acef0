"""Settings: one frozen object or one message with every problem; secrets never show."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot.config import Listen, load
from bot.errors import ConfigError

GOOD = {"SLACK_BOT_TOKEN": "xoxb-1-secret", "SLACK_APP_TOKEN": "xapp-1-secret"}


def test_defaults_need_only_the_tokens() -> None:
    config = load(GOOD)
    assert config.mode == "socket"
    assert config.listen == Listen("127.0.0.1", 8787)
    assert config.progress_every == timedelta(minutes=30)
    assert config.command == "/session"


def test_a_signing_secret_without_app_token_selects_http_mode() -> None:
    assert load({"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": "s"}).mode == "http"


def test_an_app_token_wins_over_a_signing_secret() -> None:
    assert load({**GOOD, "SLACK_SIGNING_SECRET": "s"}).mode == "socket"


def test_secrets_stay_out_of_repr() -> None:
    assert "secret" not in repr(load({**GOOD, "SLACK_SIGNING_SECRET": "the-secret"}))


def test_every_problem_is_reported_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        load(
            {
                "SLACK_BOT_TOKEN": "xapp-wrong",
                "SWITCHBOARD_LISTEN": "nowhere",
                "SWITCHBOARD_ADMINS": "ana",
                "SWITCHBOARD_COMMAND": "/Has Spaces",
                "SWITCHBOARD_DIGEST": "sometimes",
                "SWITCHBOARD_PROGRESS_EVERY": "soon",
                "SWITCHBOARD_LOG": "loud",
                "SLACK_API_URL": "ftp://slack",
            }
        )
    message = str(caught.value)
    for key in (
        "SLACK_BOT_TOKEN",
        "SLACK_APP_TOKEN",
        "SWITCHBOARD_LISTEN",
        "SWITCHBOARD_ADMINS",
        "SWITCHBOARD_COMMAND",
        "SWITCHBOARD_DIGEST",
        "SWITCHBOARD_PROGRESS_EVERY",
        "SWITCHBOARD_LOG",
        "SLACK_API_URL",
    ):
        assert f"  {key}: " in message
    assert "xapp-wrong" not in message


def test_values_are_read() -> None:
    config = load(
        {
            **GOOD,
            "SWITCHBOARD_DATA_DIR": "/somewhere",
            "SWITCHBOARD_LISTEN": "[::1]:0",
            "SWITCHBOARD_ADMINS": "U1A, U2B",
            "SWITCHBOARD_CHANNEL": "#sessions",
            "SWITCHBOARD_COMMAND": "sb",
            "SWITCHBOARD_DIGEST": "0 9 * * mon-fri",
            "SWITCHBOARD_PROGRESS_EVERY": "90s",
            "SLACK_API_URL": "http://127.0.0.1:1/api",
        }
    )
    assert config.data_dir == Path("/somewhere")
    assert config.listen == Listen("::1", 0)
    assert config.admins == {"U1A", "U2B"}
    assert (config.channel, config.command) == ("sessions", "/sb")
    assert config.progress_every == timedelta(seconds=90)
    assert config.api_url == "http://127.0.0.1:1/api/"
