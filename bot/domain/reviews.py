"""Reviews: a verdict counts only for exactly the commit that was shown, once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.domain.views import MergeDone, SentBack, Withdrawn
from bot.wire.types import PersonId, Review, SessionId


@dataclass(frozen=True)
class Offered:
    """A review as the bot keeps it. At most one of ``merged``, ``sent_back`` and ``withdrawn`` decides it."""

    review: Review
    session: SessionId
    at: datetime
    merging_by: PersonId | None = None
    merging_at: datetime | None = None
    merged: MergeDone | None = None
    sent_back: SentBack | None = None
    withdrawn: Withdrawn | None = None
    problem: str = ""

    @property
    def open(self) -> bool:
        return not (self.merged or self.sent_back or self.withdrawn)


def may_decide(offered: Offered, shown_commit: str) -> bool:
    """Whether a verdict on ``shown_commit`` may be accepted now. Any other commit is another change."""
    return offered.open and offered.merging_by is None and shown_commit == offered.review.commit
