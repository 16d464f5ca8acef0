"""The floor: a bare Bolt app with its defaults, doing only the Slack call. A click is answered by one chat.update."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient


async def main(ready_fd: int) -> None:
    app = AsyncApp(client=AsyncWebClient(token=os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"]))

    @app.event("message")
    async def post(event: dict[str, Any], client: AsyncWebClient) -> None:
        if event.get("text", "").startswith("post "):
            blocks = [
                {"type": "section", "text": {"type": "mrkdwn", "text": event["text"]}},
                {
                    "type": "actions",
                    "block_id": "answer",
                    "elements": [
                        {
                            "type": "button",
                            "action_id": "yes",
                            "value": "1",
                            "text": {"type": "plain_text", "text": "Yes"},
                        }
                    ],
                },
            ]
            await client.chat_postMessage(channel=event["channel"], text="asked " + event["text"][5:], blocks=blocks)

    @app.action("yes")
    async def clicked(ack: Any, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await client.chat_update(
            channel=body["container"]["channel_id"], ts=body["container"]["message_ts"], text="answered", blocks=[]
        )

    handler = AsyncSocketModeHandler(app, os.environ["SLACK_APP_TOKEN"])
    await handler.connect_async()
    os.write(ready_fd, b"{}\n")
    os.close(ready_fd)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[sys.argv.index("--ready-fd") + 1])))
