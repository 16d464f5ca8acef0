"""The outbox in the product's words: what to bring where. Cards are rendered at delivery, so late edits coalesce."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TypeAlias

from bot.wire.types import PersonId


class Subject(StrEnum):
    """What a delivery shows; with a reference (an id) it names one card."""

    SESSION = "session"
    QUESTION = "question"
    REVIEW = "review"
    FAILURE = "failure"
    PROGRESS = "progress"
    DIGEST = "digest"
    HOME = "home"
    NOTE = "note"
    FILE = "file"
    PRIVATE = "private"


@dataclass(frozen=True)
class MessageRef:
    """A message that exists in Slack."""

    channel: str
    ts: str


@dataclass(frozen=True)
class Address:
    """Where to post. Exactly one of ``channel`` and ``person`` is set: a person's address is their DM with the bot."""

    channel: str = ""
    person: PersonId | None = None
    thread_ts: str = ""


@dataclass(frozen=True)
class Delivery:
    """One claimed row of the outbox. ``message`` is set when the card exists already and is to be edited."""

    id: int
    subject: Subject
    ref: str
    to: Address
    lane: str
    """Deliveries of one lane are done in order, one at a time (a channel, or a person's DM or Home)."""
    message: MessageRef | None = None
    shown: str = ""
    """Digest of what the message shows now; an edit to the same is skipped."""
    attempts: int = 0


# --- how a delivery failed, as the Slack side found out -------------------------------------------------------------


@dataclass(frozen=True)
class RateLimited:
    """Nothing happened; the lane rests."""

    after: timedelta


@dataclass(frozen=True)
class Retryable:
    """Nothing happened, as far as is certain (connection refused, 503 before the request was read)."""

    reason: str


@dataclass(frozen=True)
class Ambiguous:
    """It may have happened (timeout, dropped connection, 5xx)."""

    reason: str


@dataclass(frozen=True)
class Permanent:
    """It will never happen like this (``channel_not_found``, ``is_archived``, ``invalid_blocks`` …)."""

    error: str


Failure: TypeAlias = RateLimited | Retryable | Ambiguous | Permanent
