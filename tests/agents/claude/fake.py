"""Something that speaks like Claude Code, for tests without it: ``python fake.py``; its prompts are orders to it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

SESSION = "5e551011-0000-4000-8000-000000000000"


def say(kind: str, **words: Any) -> None:
    print(json.dumps({"type": kind, "session_id": SESSION, **words}), flush=True)


def state(name: str) -> None:
    say("system", subtype="session_state_changed", state=name)


def words(text: str) -> None:
    say("assistant", message={"content": [{"type": "text", "text": text}], "usage": {"input_tokens": 7}})


def end(**more: Any) -> None:
    usage = {"m": {"inputTokens": 10, "outputTokens": 5, "costUSD": 0.5}}
    totals = {"total_cost_usd": 0.5, "modelUsage": usage, "model_usage_since_last_result": usage}
    say("result", **{"subtype": "success", "is_error": False, "result": "", **totals, **more})


def permission(number: str, command: str) -> None:
    request = {
        "subtype": "can_use_tool",
        "tool_name": "Bash",
        "input": {"command": command},
        "tool_use_id": f"t{number}",
    }
    say("control_request", request_id=number, request=request)


def turn(prompt: str) -> None:
    order, _, rest = prompt.rpartition("\n")[2].partition(" ")
    match order:
        case "ask":
            for number in range(int(rest)):
                permission(f"r{number}", f"touch {number}")
            for _ in range(int(rest)):
                answer = json.loads(sys.stdin.readline())
                words(f"{answer['response']['request_id']}: {answer['response']['response']['behavior']}")
        case "later":  # once this file is there, it asks
            while not Path(rest).exists():
                time.sleep(0.02)
            turn("ask 1")
        case "stray":  # what some hook or library prints
            print("a stray line\n[1]\n{}\n7", flush=True)
            turn(f"ask {rest}")
        case "flood":
            for number in range(int(rest)):
                words(f"{number} " + "x" * 100_000)
        case "line":
            words("y" * int(rest))
        case "noise":
            print("not JSON\n[1, 2]\nnull\n" + '{"type": 7}\n{"type": "assistant", "message": []}', flush=True)
            say("user", message={"content": [{"type": "tool_result", "tool_use_id": 5}, 3]})
            say("system", subtype="background_tasks_changed", tasks="many")
            say("system", subtype="session_state_changed", state=None)
            say("rate_limit_event", rate_limit_info={"status": "rejected", "resetsAt": "soon"})
            say("control_request", request_id="odd", request={"subtype": "dance"})
            answer = json.loads(sys.stdin.readline())
            words(f"{answer['response']['subtype']}: {answer['response']['error']}")
        case "orphan":  # what a shell leaves behind that has ended itself
            subprocess.run(["sh", "-c", rest], stdout=subprocess.DEVNULL, start_new_session=True, check=True)
            words("left")
        case "holding":  # its pipes outlive it
            subprocess.Popen(["sleep", "60"], start_new_session=True)
            sys.exit(int(rest))
        case "exit":
            sys.exit(int(rest))
        case _:
            words(f"heard {prompt}")


def how(prompt: str) -> dict[str, Any]:
    """The turn that this prompt began ends."""
    if prompt.endswith("limit"):
        return {"is_error": True, "api_error_status": 429, "result": "You've hit your limit"}
    if "boom" in prompt:  # and again when it is told of it
        return {"is_error": True, "result": "API Error: 500 boom"}
    return {}


def main() -> None:
    for line in sys.stdin:
        message = json.loads(line)
        if message["type"] == "control_request":
            body = {"request_id": message["request_id"], "response": {"claude_code_version": "2.1.999"}}
            say("control_response", response=body)
        elif message["type"] == "user":
            number = message["uuid"]
            state("running")
            say("command_lifecycle", command_uuid=number, state="started")
            turn(message["message"]["content"])
            end(**how(message["message"]["content"]))
            say("command_lifecycle", command_uuid=number, state="completed")
            state("idle")


if __name__ == "__main__":
    main()
