"""What an agent is told besides a message: the rules of the house and its task, when it does not know them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from runners.agents.base import AgentInfo
from runners.runner import answers, preamble
from runners.runner.session import Message, State
from runners.runner.ticket import Ticket

BEGUN = "Work on this was begun before; look at the branch first."


def rules(ticket: Ticket, *, can_ask: bool) -> str:
    """As they stood when the session began; tickets of the first release do not hold them."""
    place = ticket.place
    return ticket.rules or preamble.rules(
        branch=place.branch,
        base=place.base,
        scope=place.scope,
        ports=place.ports,
        notes=ticket.notes,
        can_ask=can_ask,
    )


def composed(
    ticket: Ticket, info: AgentInfo, state: State, messages: Sequence[Message], *, can_ask: bool = True
) -> str:
    """The prompt for these messages; with everything from the start where the agent knows nothing of it."""
    text = answers.said_with_open(state, messages)
    if state.introduced and not state.cleared:
        return text
    more = (BEGUN, text) if state.introduced else (text,)
    return preamble.first_message(rules(ticket, can_ask=can_ask), ticket.spec.task, has_rules=info.has_rules, more=more)
