"""What is written to Claude Code, and the marks of its turns' ends. Pure."""

from __future__ import annotations

from runners.agents.claude.fields import Json


def prompt(name: str, words: str) -> Json:
    message = {"role": "user", "content": words}
    return {"type": "user", "message": message, "parent_tool_use_id": None, "session_id": "default", "uuid": name}


def control(name: str, request: Json) -> Json:
    return {"type": "control_request", "request_id": name, "request": request}


def answer(request: str, response: Json | None, error: str = "") -> Json:
    body: Json = {"subtype": "error", "request_id": request, "error": error}
    if response is not None:
        body = {"subtype": "success", "request_id": request, "response": response}
    return {"type": "control_response", "response": body}


def mark(life: str, number: int) -> str:
    """Of a turn's end: numbers begin anew with each life of Claude Code."""
    return f"{life} {number}"


def taken(mark: str, life: str) -> int:
    """The number in a mark of this life's; 0 for another one's."""
    of, _, number = mark.partition(" ")
    return int(number) if of == life and number.isdecimal() else 0
