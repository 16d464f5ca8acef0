"""What a button means: one typed action, packed into the ``value`` that Slack sends back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum


class Verb(StrEnum):
    CHOOSE = "choose"
    PICK = "pick"
    """One option of several that may be ticked; nothing is said until they are sent."""
    SEND = "send"
    """All that is ticked, as one answer."""
    OTHER = "other"
    LATER = "later"
    DENY_STOP = "deny_stop"
    DENY_TELL = "deny_tell"
    REVISE = "revise"
    SHOW = "show"
    """The whole of a question, in a modal."""
    MERGE = "merge"
    SEND_BACK = "send_back"
    STOP = "stop"
    DROP = "drop"
    """Stop what has failed, and only that."""
    PAUSE = "pause"
    RESUME = "resume"
    RESET = "reset"
    SLEEP = "sleep"
    """Stay asleep when the limit is lifted."""
    WAKE = "wake"
    STEER = "steer"
    """A follow-up that waits is given now."""
    UNSEND = "unsend"
    TELL = "tell"
    STATUS = "status"
    AS_ANSWER = "as_answer"
    AS_PROMPT = "as_prompt"
    DISCARD = "discard"
    START = "start"
    PREFS = "prefs"
    DIGEST = "digest"
    OPEN = "open"
    """A link: the client opens it by itself, nothing is left to do."""


@dataclass(frozen=True)
class Act:
    """``ref`` names the card (a question, a review, a session, a reply); ``arg`` is the option, commit or question."""

    verb: Verb
    ref: str = ""
    arg: str = ""
    index: int = -1
    """The option's place, where its id is too long to travel; the question itself then says which it is."""

    def pack(self, limit: int = 2000) -> str:
        """What does not fit is left out, the option before the card: an empty ``ref`` names nothing."""
        for ref, arg in ((self.ref, self.arg), (self.ref, ""), ("", "")):
            parts = [self.verb.value, ref, arg, self.index]
            packed = json.dumps(parts, separators=(",", ":"), ensure_ascii=False)
            if len(packed.encode("utf-16-le", "surrogatepass")) // 2 <= limit:
                return packed
        raise AssertionError("a verb alone fits any limit of Slack's")


def unpack(value: object) -> Act | None:
    """The action that ``value`` holds, or None for anything that this bot did not write."""
    if not isinstance(value, str) or len(value) > 2000:
        return None
    try:
        match json.loads(value):
            case [str(verb), str(ref), str(arg), int(index)]:
                return Act(Verb(verb), ref, arg, index)
    except ValueError:
        return None
    return None
