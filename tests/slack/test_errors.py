"""What became of a call, in the outbox's words."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.domain.deliveries import Ambiguous, Permanent, RateLimited, Retryable
from bot.errors import StoreError
from bot.slack.errors import code_of, details_of, failure


def refused(data: Any, status: int = 200, **headers: str) -> SlackApiError:
    response = AsyncSlackResponse(
        client=AsyncWebClient(),
        http_verb="POST",
        api_url="x",
        req_args={},
        data=data,
        headers=headers,
        status_code=status,
    )
    return SlackApiError("no", response)


@pytest.mark.parametrize(
    ("error", "meant"),
    [
        (
            refused({"ok": False, "error": "ratelimited"}, 429, **{"Retry-After": "7"}),
            RateLimited(timedelta(seconds=7)),
        ),
        (refused({"ok": False, "error": "rate_limited"}), RateLimited(timedelta(seconds=5))),
        (refused({"ok": False, "error": "x"}, 429, **{"Retry-After": "soon"}), RateLimited(timedelta(seconds=30))),
        (refused({"ok": False, "error": "channel_not_found"}), Permanent("channel_not_found")),
        (refused({"ok": False, "error": "fatal_error"}), Ambiguous("fatal_error")),
        (refused({"ok": False, "error": "service_unavailable"}, 503), Retryable("service_unavailable")),
        (refused("<html>oops</html>", 500), Ambiguous("HTTP 500")),
        (refused({}, 502), Ambiguous("HTTP 502")),
        (TimeoutError("slow"), Ambiguous("TimeoutError: slow")),
        (aiohttp.ServerDisconnectedError("gone"), Ambiguous("ServerDisconnectedError: gone")),
        (StoreError("locked"), Retryable("StoreError: locked")),
        (sqlite3.OperationalError("disk I/O error"), Retryable("OperationalError: disk I/O error")),
        (KeyError("bug"), Permanent("could not be shown: KeyError: 'bug'")),
    ],
)
def test_failures(error: Exception, meant: object) -> None:
    assert failure(error) == meant


def test_what_slack_says_besides_is_for_the_log() -> None:
    error = refused(
        {"ok": False, "error": "invalid_blocks", "response_metadata": {"messages": ["[ERROR] too long [/blocks/0]"]}}
    )
    assert code_of(error) == "invalid_blocks"
    assert "too long" in details_of(error)
    assert details_of(refused({"ok": False, "error": "missing_scope", "needed": "files:write"})) == "needs files:write"
