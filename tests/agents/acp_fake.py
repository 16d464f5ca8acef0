"""Something that speaks ACP and takes prompts within a turn, as its prompts tell it: ``python acp_fake.py HEARD``.

``work``: a turn that lasts until something else is said. Within it ``no …`` is refused at once, ``no longer …`` once
the turn has ended, anything else is taken in.
``form JSON`` asks just that and ends with its answer. What it was told is written to HEARD, a line each.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def say(**message: Any) -> None:
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)


def refuse(number: object) -> None:
    say(id=number, error={"code": -32603, "message": "busy"})


def end(number: object) -> None:
    say(id=number, result={"stopReason": "end_turn"})


def main() -> None:
    working = asking = None
    for line in sys.stdin:
        message = json.loads(line)
        number = message.get("id")
        if number == "f" and "method" not in message:
            with Path(sys.argv[1]).open("a") as heard:
                heard.write(line)
            end(asking)
        match message.get("method"):
            case "initialize":
                say(id=number, result={"protocolVersion": 1, "agentCapabilities": {}})
            case "session/new":
                say(id=number, result={"sessionId": "s1"})
            case "session/prompt":
                text = message["params"]["prompt"][0]["text"]
                with Path(sys.argv[1]).open("a") as heard:
                    heard.write(text + "\n")
                if text.startswith("form "):
                    asking = number
                    say(id="f", method="elicitation/create", params=json.loads(text.removeprefix("form ")))
                elif text == "work":
                    working = number
                elif working is None:
                    end(number)
                elif text.startswith("no longer"):
                    end(working)
                    working = refuse(number)
                elif text.startswith("no"):
                    refuse(number)
                else:
                    end(working)
                    working = end(number)


if __name__ == "__main__":
    main()
