"""Slack's and the network's errors, translated once: into what the outbox understands, or into words for an operator.

SwitchboardError
└── SlackError
    ├── SlackRefused       a token, secret or scope that Slack does not accept
    └── SlackUnreachable   no answer from Slack's address at start-up
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import timedelta

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.domain.deliveries import Ambiguous, Failure, Permanent, RateLimited, Retryable
from bot.errors import StoreError, SwitchboardError
from bot.slack.blocks.kit import value_of


class SlackError(SwitchboardError):
    """Slack and the bot cannot work together."""


class SlackRefused(SlackError):
    """A token, secret or scope that Slack does not accept; the text names the variable and the fix."""


class SlackUnreachable(SlackError):
    """No answer from Slack's address at start-up."""


BAD_BLOCKS = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "block_mismatch"})
_LIMITED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
_MAYBE = frozenset({"internal_error", "fatal_error", "request_timeout"})
_LATER = frozenset({"service_unavailable", "team_added_to_org", "accesslimited"})


def code_of(error: BaseException) -> str:
    """Slack's own name of the error, empty where it named none."""
    data = getattr(getattr(error, "response", None), "data", None)
    found = value_of(data, "error") if isinstance(data, Mapping) else None
    return found if isinstance(found, str) else ""


def failure(error: Exception) -> Failure:
    """How a Web API call failed. Anything that may have reached Slack is ambiguous."""
    match error:
        case SlackApiError():
            return _refused(error)
        case StoreError() | sqlite3.OperationalError():
            return Retryable(f"{type(error).__name__}: {error}")  # the disk, not the message
        case aiohttp.ClientConnectorError():
            return Retryable(f"cannot connect: {error}")
        case TimeoutError() | aiohttp.ClientError() | ConnectionError():
            return Ambiguous(f"{type(error).__name__}: {error}")
        case SlackClientError():
            return Permanent(f"{type(error).__name__}: {error}")
    return Permanent(f"could not be shown: {type(error).__name__}: {error}")


def _refused(error: SlackApiError) -> Failure:
    response = error.response
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0) or 0)
    code = code_of(error)
    if status == 429 or code in _LIMITED:
        return RateLimited(after=_rest(response))
    if code in _LATER or status == 503:
        return Retryable(code or "HTTP 503")
    if code in _MAYBE or status >= 500 or not code:
        return Ambiguous(code or f"HTTP {status}")
    return Permanent(code)


def _rest(response: object) -> timedelta:
    headers = getattr(response, "headers", None) or {}
    try:
        return timedelta(seconds=max(1.0, float(headers.get("Retry-After", "5"))))
    except ValueError:
        return timedelta(seconds=30)


def details_of(error: BaseException) -> str:
    """What Slack adds in words, for the log."""
    data = getattr(getattr(error, "response", None), "data", None)
    found = value_of(data, "response_metadata", "messages") if isinstance(data, Mapping) else None
    needed = value_of(data, "needed") if isinstance(data, Mapping) else None
    words = [str(message)[:300] for message in found[:3]] if isinstance(found, list) else []
    return "; ".join([*words, f"needs {needed}"] if isinstance(needed, str) else words)
