"""MCP as far as one tool needs it: JSON-RPC in, JSON-RPC out, whatever carries it. Pure.

Speaks both eras: the ``initialize`` handshake up to 2025-11-25, and the stateless requests of 2026-07-28.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from typing import Any, TypeAlias, cast

from runners.ask import tool

HANDSHAKE = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
STATELESS = ("2026-07-28",)
META_VERSION = "io.modelcontextprotocol/protocolVersion"
META_CLIENT = "io.modelcontextprotocol/clientInfo"

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602
UNSUPPORTED_VERSION = -32022
RequestId: TypeAlias = str | int
Json: TypeAlias = dict[str, Any]

INSTRUCTIONS = "Questions to the people who own this work. Gather them into one call of ask_human."


@cache
def software() -> str:
    """Our own version."""
    try:
        return metadata.version("switchboard-slack")
    except metadata.PackageNotFoundError:
        return "0"


@dataclass(frozen=True)
class Reply:
    """Answered on the spot. ``client`` is set by a handshake: who it is that speaks."""

    message: Json
    client: str | None = None

    @property
    def failed(self) -> bool:
        return "error" in self.message


@dataclass(frozen=True)
class Ask:
    """A call of ``ask_human``, to be answered by ``called``."""

    id: RequestId
    arguments: object
    progress: RequestId | None = None
    """The client's token: it wants to hear that the call is alive."""
    stateless: bool = False
    client: str = ""


@dataclass(frozen=True)
class Noted:
    """A notification or a response: nothing is said to it."""

    method: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)


Received: TypeAlias = Reply | Ask | Noted


def received(body: bytes | str, *, version: str) -> Received:
    """``version`` is that of our software."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as err:
        return _error(None, PARSE_ERROR, f"This is no JSON: {err}")
    if isinstance(message, list):
        return _error(None, INVALID_REQUEST, "Batches are gone from MCP; send one message at a time")
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        return _error(None, INVALID_REQUEST, 'A message is an object with "jsonrpc": "2.0"')
    number, method, params = message.get("id"), message.get("method"), message.get("params", {})
    if "method" not in message and ("result" in message or "error" in message):
        return Noted()
    if not isinstance(method, str):
        return _error(_usable(number), INVALID_REQUEST, "A request has a method")
    if not isinstance(params, dict):
        return _error(_usable(number), INVALID_PARAMS, "params must be an object")
    if "id" not in message:
        return Noted(method, params)
    if _usable(number) is None:
        return _error(None, INVALID_REQUEST, "An id is a string or a whole number")
    return _request(cast("RequestId", number), method, params, version)


def _usable(number: object) -> RequestId | None:
    return number if isinstance(number, str | int) and not isinstance(number, bool) else None


def _request(number: RequestId, method: str, params: Json, version: str) -> Received:
    meta = params["_meta"] if isinstance(params.get("_meta"), dict) else {}
    asked_version = meta.get(META_VERSION)
    stateless = asked_version is not None
    if stateless and asked_version not in STATELESS:
        return _error(
            number,
            UNSUPPORTED_VERSION,
            "Unsupported protocol version",
            {"supported": list(STATELESS), "requested": asked_version},
        )
    match method:
        case "initialize":
            return _initialized(number, params, version)
        case "server/discover":
            about = _about(version)
            meta = {"io.modelcontextprotocol/serverInfo": about.pop("serverInfo")}
            return _result(number, {"supportedVersions": list(STATELESS), **about, "_meta": meta}, cached=True)
        case "ping":
            return _result(number, {})
        case "tools/list":
            return _result(number, {"tools": [tool.TOOL]}, cached=stateless)
        case "tools/call":
            return _call(number, params, meta, stateless)
        case "resources/list" | "resources/templates/list" | "prompts/list":
            # Not advertised, and asked for all the same by some clients, which log an error as a failed server.
            key = {"resources/list": "resources", "prompts/list": "prompts"}.get(method, "resourceTemplates")
            return _result(number, {key: []}, cached=stateless)
        case "logging/setLevel":
            return _result(number, {})
    return _error(number, METHOD_NOT_FOUND, f"There is no method “{method[:100]}” here")


def _initialized(number: RequestId, params: Json, version: str) -> Reply:
    wanted = params.get("protocolVersion")
    spoken = wanted if wanted in HANDSHAKE else HANDSHAKE[-1]
    about = {"protocolVersion": spoken, **_about(version)}
    return Reply({"jsonrpc": "2.0", "id": number, "result": about}, client=_client(params.get("clientInfo")))


def _about(version: str) -> Json:
    return {
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "switchboard", "title": "Switchboard", "version": version},
        "instructions": INSTRUCTIONS,
    }


def _client(info: object) -> str:
    name = info.get("name") if isinstance(info, dict) else None
    return name if isinstance(name, str) else ""


def _call(number: RequestId, params: Json, meta: Json, stateless: bool) -> Received:
    name = params.get("name")
    if name != tool.NAME:
        return _error(number, INVALID_PARAMS, f"Unknown tool: {str(name)[:100]}. There is one here: {tool.NAME}")
    token = _usable(meta.get("progressToken"))
    return Ask(number, params.get("arguments", {}), token, stateless, _client(meta.get(META_CLIENT)))


def _result(number: RequestId, result: Json, *, cached: bool = False) -> Reply:
    more = {"resultType": "complete", "ttlMs": 3_600_000, "cacheScope": "private"} if cached else {}
    return Reply({"jsonrpc": "2.0", "id": number, "result": {**result, **more}})


def _error(number: RequestId | None, code: int, message: str, data: Json | None = None) -> Reply:
    error = {"code": code, "message": message} | ({"data": data} if data else {})
    return Reply({"jsonrpc": "2.0", "id": number, "error": error})


def called(ask: Ask, text: str, *, failed: bool = False) -> Json:
    """The answer to a call. What is wrong with its arguments is a result too: the model reads it and does better."""
    result: Json = {"content": [{"type": "text", "text": text}], "isError": failed}
    if ask.stateless:
        result["resultType"] = "complete"
    return {"jsonrpc": "2.0", "id": ask.id, "result": result}


def alive(token: RequestId, count: int, words: str) -> Json:
    """Progress: the question still waits for people."""
    params = {"progressToken": token, "progress": count, "message": words}
    return {"jsonrpc": "2.0", "method": "notifications/progress", "params": params}


def cancelled(noted: Noted) -> RequestId | None:
    """The request that its caller gave up."""
    return _usable(noted.params.get("requestId")) if noted.method == "notifications/cancelled" else None


def status(reply: Reply, *, stateless: bool) -> int:
    """HTTP's word for it: the handshake's era says 200 and the error, the stateless one says it twice."""
    if not reply.failed:
        return 200
    code = reply.message["error"]["code"]
    if stateless:
        return 404 if code == METHOD_NOT_FOUND else 400
    return 200 if code in (METHOD_NOT_FOUND, INVALID_PARAMS) else 400
