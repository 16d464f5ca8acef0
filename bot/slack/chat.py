"""The calls to Slack: post, edit, private message, Home tab, file. Raises what the SDK raises."""

from __future__ import annotations

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.deliveries import Address, Delivery, MessageRef, Permanent
from bot.domain.views import File
from bot.slack import text
from bot.slack.blocks.kit import Block, Card, Message, value_of
from bot.slack.errors import BAD_BLOCKS, code_of, details_of, failure
from bot.wire.types import PersonId

log = structlog.get_logger()

EVENT = "switchboard"
"""The metadata's event type: with the delivery's number it tells whether an uncertain post arrived."""


LOOK_BACK = 999
"""Messages to look through for an uncertain post; Slack gives a workspace's own app up to 1,000 at once."""


class Chat:
    def __init__(self, client: AsyncWebClient, http: aiohttp.ClientSession, scopes: frozenset[str]) -> None:
        """``scopes``: what the token may do; empty where Slack did not say."""
        self._client = client
        self._http = http
        self._files = not scopes or "files:write" in scopes
        self._direct: dict[PersonId, str] = {}

    async def post(self, delivery: Delivery, message: Message) -> MessageRef:
        channel = await self._channel(delivery.to)
        if delivery.attempts > 0 and (arrived := await self._arrived(channel, delivery)):
            # It may show how things stood then; and where it was looked for by a channel's name, the edit tells the id.
            return await self.edit(arrived, message)
        try:
            posted = await self._post(channel, delivery, message)
        except SlackApiError as err:
            if code_of(err) not in BAD_BLOCKS:
                raise
            # A bug of ours, and words without buttons still reach the person: a reply in the thread answers.
            _refused(err, delivery=delivery.id)
            posted = await self._post(channel, delivery, Message(message.text))
        if delivery.attempts > 0 and posted.channel != channel:
            await self._withdraw_earlier(posted, delivery)
        return posted

    async def _withdraw_earlier(self, posted: MessageRef, delivery: Delivery) -> None:
        """Slack looks things up by a channel's id only, which the name's first post that is answered tells."""
        try:
            earlier = await self._arrived(posted.channel, delivery, besides=posted.ts)
            if earlier is not None:
                await self._client.chat_delete(channel=earlier.channel, ts=earlier.ts)
        except (SlackApiError, aiohttp.ClientError, TimeoutError) as err:
            log.warning("slack.post.twice", delivery=delivery.id, problem=code_of(err) or repr(err))

    async def _post(self, channel: str, delivery: Delivery, message: Message) -> MessageRef:
        posted = await self._client.chat_postMessage(
            channel=channel,
            thread_ts=delivery.to.thread_ts or None,
            text=message.text,
            blocks=list(message.blocks) or None,
            metadata={"event_type": EVENT, "event_payload": {"delivery": delivery.id}},
            unfurl_links=False,
            unfurl_media=False,
        )
        return MessageRef(_string(posted.data, "channel") or channel, _string(posted.data, "ts"))

    async def _arrived(self, channel: str, delivery: Delivery, besides: str = "") -> MessageRef | None:
        """An earlier attempt whose outcome nobody knows may have arrived: its metadata tells."""
        try:
            if delivery.to.thread_ts:
                found = await self._client.conversations_replies(
                    channel=channel, ts=delivery.to.thread_ts, include_all_metadata=True, limit=LOOK_BACK
                )
            else:
                found = await self._client.conversations_history(
                    channel=channel, include_all_metadata=True, limit=LOOK_BACK
                )
        except SlackApiError as err:
            if isinstance(failure(err), Permanent):
                return None  # without the scope, or by a channel's name, there is no looking: better twice than never
            raise
        messages = found.get("messages")
        for message in messages if isinstance(messages, list) else []:
            ours = value_of(message, "metadata", "event_type") == EVENT
            ours = ours and _string(message, "ts") != besides
            if ours and value_of(message, "metadata", "event_payload", "delivery") == delivery.id:
                log.info("slack.post.had_arrived", delivery=delivery.id, ts=_string(message, "ts"))
                return MessageRef(channel, _string(message, "ts"))
        return None

    async def edit(self, at: MessageRef, message: Message) -> MessageRef:
        """Returns where the message is, by the channel's id."""
        blocks = list(message.blocks)
        try:
            edited = await self._client.chat_update(channel=at.channel, ts=at.ts, text=message.text, blocks=blocks)
        except SlackApiError as err:
            if code_of(err) not in BAD_BLOCKS:
                raise
            _refused(err, channel=at.channel, ts=at.ts)
            edited = await self._client.chat_update(channel=at.channel, ts=at.ts, text=message.text, blocks=[])
        return MessageRef(_string(edited.data, "channel") or at.channel, at.ts)

    async def private(self, delivery: Delivery, person: PersonId, message: Message) -> None:
        """Beside the thread it belongs to; in the person's own conversation where it belongs to none."""
        if not delivery.to.channel:
            await self.post(delivery, message)
            return
        await self._client.chat_postEphemeral(
            channel=delivery.to.channel,
            user=person,
            thread_ts=delivery.to.thread_ts or None,
            text=message.text,
            blocks=list(message.blocks) or None,
        )

    async def publish(self, person: PersonId, home: Block) -> None:
        await self._client.views_publish(user_id=person, view=home)

    async def file(self, delivery: Delivery, file: File) -> MessageRef | None:
        """Upload into the thread; its beginning as a message where the bot may not upload."""
        if self._files:
            try:
                await self._upload(await self._channel(delivery.to), delivery.to.thread_ts, file)
                return None
            except SlackApiError as err:
                if code_of(err) != "missing_scope":
                    raise
                self._files = False
        return await self.post(delivery, _excerpt(file))

    async def _upload(self, channel: str, thread_ts: str, file: File) -> None:
        content = (file.content or "\n").encode("utf-8", "replace")
        name = text.plain(file.name, 200) or "file.txt"
        ticket = await self._client.files_getUploadURLExternal(filename=name, length=len(content))
        form = aiohttp.FormData()
        form.add_field("file", content, filename=name)
        async with self._http.post(_string(ticket.data, "upload_url"), data=form) as answer:
            answer.raise_for_status()
        uploaded: dict[str, str | None] = {
            "id": _string(ticket.data, "file_id"),
            "title": text.plain(file.title, 200) or name,
        }
        await self._client.files_completeUploadExternal(
            files=[uploaded], channel_id=channel, thread_ts=thread_ts or None
        )

    async def _channel(self, to: Address) -> str:
        if to.person is None:
            return to.channel
        if to.person not in self._direct:
            opened = await self._client.conversations_open(users=to.person)
            found = value_of(opened.data, "channel", "id") if isinstance(opened.data, dict) else None
            self._direct[to.person] = found if isinstance(found, str) else to.person
        return self._direct[to.person]


def _refused(err: SlackApiError, **where: object) -> None:
    """Slack's own words say what is wrong; a traceback would not, and reading its source lines blocks the loop."""
    log.error("slack.blocks.refused", problem=code_of(err), details=details_of(err), **where)


def _excerpt(file: File) -> Message:
    lines = file.content.count("\n") + 1
    card = Card().say(f"{text.inline(file.name, 200)} · {text.line(file.title, 200)} · {text.count(lines, 'line')}")
    card.say(text.fence(file.content, 2500))
    if not text.fits(file.content, 2500):
        card.small("Cut here. With the scope `files:write` the whole comes as a file.")
    return card.message()


def _string(data: object, key: str) -> str:
    found = data.get(key) if isinstance(data, dict) else None
    return found if isinstance(found, str) else ""
