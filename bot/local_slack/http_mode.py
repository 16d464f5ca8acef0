"""HTTP mode: signed POSTs to the app's request URL, and how Slack judges the answers."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from urllib.parse import urlencode

import aiohttp

from bot.local_slack.clock import Clock, within
from bot.local_slack.delivery import Envelope
from bot.local_slack.errors import NotDelivered
from bot.local_slack.faults import Faults
from bot.local_slack.ids import new_token
from bot.local_slack.models import Json


class HttpMode:
    """The transport over the app's request URL; one URL for events, commands and interactivity."""

    def __init__(self, url: str, secret: str, token: str, clock: Clock, faults: Faults) -> None:
        self.url = url
        self._secret = secret
        self._token = token
        self._clock = clock
        self._faults = faults
        self._session: aiohttp.ClientSession | None = None

    async def reachable(self) -> None:
        """Slack does not know beforehand whether a URL answers."""

    async def verify(self) -> None:
        """The handshake that saving a request URL starts; NotDelivered if the app does not echo the challenge."""
        challenge = new_token()
        body = json.dumps({"token": self._token, "challenge": challenge, "type": "url_verification"})
        status, answer, _ = await self._timed(body, "application/json", {})
        echoed = _json(answer).get("challenge") or answer.strip()
        if status != 200 or echoed != challenge:
            raise NotDelivered("url_verification")

    async def deliver(self, envelope: Envelope) -> Json:
        headers = {}
        if envelope.attempt:
            headers = {"x-slack-retry-num": str(envelope.attempt), "x-slack-retry-reason": envelope.reason}
        status, answer, no_retry = await self._timed(*_encode(envelope), headers)
        if self._faults.take_lost_ack():
            raise NotDelivered("http_timeout")
        if not 200 <= status < 300:
            raise NotDelivered("http_error", final=no_retry)
        parsed = _json(answer)
        return parsed if parsed or not answer.strip() else {"text": answer}

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _timed(self, body: str, content_type: str, headers: dict[str, str]) -> tuple[int, str, bool]:
        try:
            return await within(self._clock, self._faults.ack_seconds, self._post(body, content_type, headers))
        except TimeoutError:
            raise NotDelivered("http_timeout") from None
        except aiohttp.TooManyRedirects:
            raise NotDelivered("too_many_redirects") from None
        except aiohttp.ClientSSLError:
            raise NotDelivered("ssl_error") from None
        except (aiohttp.ClientError, OSError, asyncio.IncompleteReadError):
            raise NotDelivered("connection_failed") from None

    async def _post(self, body: str, content_type: str, headers: dict[str, str]) -> tuple[int, str, bool]:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        stamp = str(int(self._clock.time()))
        headers = headers | {
            "content-type": content_type,
            "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "x-slack-request-timestamp": stamp,
            "x-slack-signature": sign(self._secret, stamp, body),
        }
        async with self._session.post(self.url, data=body.encode(), headers=headers) as answer:
            return answer.status, await answer.text(), answer.headers.get("x-slack-no-retry") == "1"


def sign(secret: str, timestamp: str, body: str) -> str:
    digest = hmac.new(secret.encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256)
    return f"v0={digest.hexdigest()}"


def _encode(envelope: Envelope) -> tuple[str, str]:
    if envelope.kind == "events_api":
        return json.dumps(envelope.payload), "application/json"
    form = envelope.payload if envelope.kind == "slash_commands" else {"payload": json.dumps(envelope.payload)}
    return urlencode({key: "" if value is None else value for key, value in form.items()}), (
        "application/x-www-form-urlencoded"
    )


def _json(text: str) -> Json:
    try:
        parsed = json.loads(text)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
