"""What the running Codex can do, as it says itself; which model it will use."""

from __future__ import annotations

import structlog

from bot.wire.types import Ability
from runners.agents.base import Launch
from runners.agents.codex import faults
from runners.agents.codex.rpc import Rpc, RpcError, table, tables

log = structlog.get_logger()

_SOON = 5.0


async def methods(rpc: Rpc) -> frozenset[str]:
    """All that it knows; empty: it does not say."""
    try:
        await rpc.call("switchboard/what_is_there", {}, _SOON)
    except RpcError as listed:
        return faults.methods(listed)
    except TimeoutError:
        log.info("codex.methods_unknown")
    return frozenset()


def knows(offered: frozenset[str], method: str) -> bool:
    return not offered or method in offered


def abilities(offered: frozenset[str]) -> frozenset[Ability]:
    found = {Ability.RESUME, Ability.PROMPT, Ability.CANCEL, Ability.RESET}
    if knows(offered, "turn/steer"):
        found.add(Ability.STEER)
    if knows(offered, "thread/backgroundTerminals/list"):
        found.add(Ability.BACKGROUND)
    return frozenset(found)


async def model(rpc: Rpc, launch: Launch) -> str:
    """The one it will use; empty: not known. Raises AgentError for one that OpenAI's own catalogue does not hold."""
    try:
        config = table(table(await rpc.call("config/read", {}, _SOON)).get("config"))
        listed = tables(table(await rpc.call("model/list", {"includeHidden": True}, _SOON)).get("data"))
    except (RpcError, TimeoutError) as problem:
        log.info("codex.models_unknown", problem=str(problem))
        return launch.model
    known = [str(entry.get("id")) for entry in listed]
    elsewhere = config.get("model_provider") not in (None, "openai")
    if launch.model:
        if known and not elsewhere and launch.model not in known:
            raise faults.unknown_model(launch, known)
        return launch.model
    usual = "" if elsewhere else next((str(entry.get("id")) for entry in listed if entry.get("isDefault")), "")
    return str(config.get("model") or usual)
