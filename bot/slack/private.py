"""Answers that one person sees: beside what they clicked or wrote, in the form they sent, or in a small modal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import aiohttp
import structlog
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.blocks import forms
from bot.slack.blocks.forms import Form
from bot.slack.blocks.kit import Block, Message, value_of
from bot.slack.errors import code_of
from bot.slack.payloads import Back

log = structlog.get_logger()

PATIENCE = 0.3
"""Seconds that a form may take to be made before a stand-in is opened in its place."""
TELL_WITHIN = 2.0
"""Seconds for a private note: Slack waits three for the acknowledgement of the click that it answers."""
_TROUBLE = (SlackClientError, aiohttp.ClientError, OSError, TimeoutError)


class Private:
    """A private answer is a courtesy: what it reports is stored already, so a failure here is logged and no more."""

    def __init__(self, client: AsyncWebClient, http: aiohttp.ClientSession) -> None:
        self._client = client
        self._http = http

    async def say(self, back: Back, message: Message) -> bool:
        """Whether the person was told. Slack's acknowledgement waits behind this, so it is given up in time."""
        try:
            async with asyncio.timeout(TELL_WITHIN):
                return await self._say(back, message)
        except TimeoutError:
            log.warning("slack.private.too_slow", channel=back.channel, seconds=TELL_WITHIN)
            return True

    async def _say(self, back: Back, message: Message) -> bool:
        if back.ephemeral and back.response_url:
            return await self._respond(back, {"replace_original": True, **_body(message)})
        if back.view and back.trigger:
            return await self.show(back, forms.note(message.text))
        if back.channel and await self._beside(back, message):
            return True
        if back.response_url:
            body = {"response_type": "ephemeral", "replace_original": False, **_body(message)}
            return await self._respond(back, {**body, "thread_ts": back.thread_ts} if back.thread_ts else body)
        return False

    async def clear(self, back: Back) -> None:
        """Take away the private message that was clicked: all is done."""
        if back.ephemeral and back.response_url:
            await self._respond(back, {"delete_original": True})

    async def show(self, back: Back, view: Block) -> bool:
        try:
            await self._client.views_open(trigger_id=back.trigger, view=view)
        except _TROUBLE as err:
            log.warning("slack.form.not_opened", problem=code_of(err) or repr(err))
            return await self._too_late(back)
        return True

    async def form(self, back: Back, form: Form, title: str, make: Callable[[], Awaitable[Block]]) -> None:
        """Open a form. Slack allows three seconds: if making it takes a while, a stand-in holds the place."""
        async with asyncio.TaskGroup() as tasks:
            making = tasks.create_task(_made(make), name="slack.form")
            await asyncio.wait({making}, timeout=PATIENCE)
            if making.done():
                if making.exception() is None:
                    await self.show(back, making.result())
                return
            try:
                opened = await self._client.views_open(trigger_id=back.trigger, view=forms.waiting(form, title))
                await self._client.views_update(view_id=_view_id(opened.data), view=await making)
            except _TROUBLE as err:
                log.warning("slack.form.not_opened", problem=code_of(err) or repr(err))
                await self._too_late(back)

    async def _too_late(self, back: Back) -> bool:
        there = replace(back, trigger="", view="", ephemeral=False)
        words = "Slack allows only a moment to open a form, and it has passed. Please click again."
        return bool(there.channel) and await self.say(there, Message(words))

    async def _beside(self, back: Back, message: Message) -> bool:
        try:
            await self._client.chat_postEphemeral(
                channel=back.channel,
                user=back.person,
                thread_ts=back.thread_ts or None,
                text=message.text,
                blocks=list(message.blocks) or None,
            )
        except _TROUBLE as err:
            log.info("slack.private.refused", channel=back.channel, problem=code_of(err) or repr(err))
            return False
        return True

    async def _respond(self, back: Back, body: Block) -> bool:
        try:
            async with self._http.post(back.response_url, json=body) as answer:
                if answer.status < 300:
                    return True
                log.info("slack.respond.refused", status=answer.status)
        except _TROUBLE as err:
            log.info("slack.respond.refused", problem=repr(err))
        return False


async def _made(make: Callable[[], Awaitable[Block]]) -> Block:
    return await make()


def _body(message: Message) -> Block:
    return {"text": message.text, "blocks": list(message.blocks)} if message.blocks else {"text": message.text}


def _view_id(data: object) -> str:
    found = value_of(data, "view", "id") if isinstance(data, dict) else None
    return found if isinstance(found, str) else ""
