"""Who may do what: the owner, the reviewer and the admins reach a session's agent; nobody else does."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.wire.types import PersonId

_PERSON = re.compile(r"[UW][A-Z0-9]{2,}")


@dataclass(frozen=True)
class Circle:
    """The people around one session."""

    owner: PersonId
    reviewer: PersonId | None
    admins: frozenset[PersonId]

    def may_answer(self, person: PersonId) -> bool:
        """Answer questions, talk to the agent, stop it, send a review back."""
        return person in (self.owner, self.reviewer) or person in self.admins

    def may_merge(self, person: PersonId) -> bool:
        """Approve a change. Where somebody else was named as reviewer, the owner does not approve their own work."""
        return person == (self.reviewer or self.owner) or person in self.admins


def looks_like_a_person(text: str) -> bool:
    """Slack's ids of people; anything else was typed and found nobody."""
    return bool(_PERSON.fullmatch(text))
