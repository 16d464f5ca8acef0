"""A usage or rate limit in a service's own words, and when it says that it is lifted. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_LIMIT = re.compile(
    r"rate.?limit|usage limit|session limit|weekly limit|quota|too many requests|resource.?exhausted|hit your limit",
    re.IGNORECASE,
)
_EPOCH = re.compile(r"\b(1[6-9]\d{8}|[2-9]\d{9})\b")
_ISO = re.compile(r"\b(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))")
_IN = re.compile(
    r"\b(?:in|after)\s+((?:\d+(?:\.\d+)?\s*(?:days?|hours?|hrs?|minutes?|mins?|seconds?|secs?|[dhms])\b[\s,]*(?:and\s+)?)+)",
    re.IGNORECASE,
)
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([dhms])", re.IGNORECASE)
_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_LONGEST = timedelta(days=35)


def is_limit(words: str) -> bool:
    return bool(_LIMIT.search(words))


def lifted_at(words: str, now: datetime) -> datetime | None:
    """The moment named in these words, where it is one of the next weeks; a bare time of day names none for sure."""
    if found := _ISO.search(words):
        moment = datetime.fromisoformat(found[1].replace("Z", "+00:00"))
    elif found := _EPOCH.search(words):
        moment = datetime.fromtimestamp(int(found[1]), UTC)
    elif found := _IN.search(words):
        moment = now + timedelta(seconds=sum(float(n) * _SECONDS[unit.lower()] for n, unit in _PART.findall(found[1])))
    else:
        return None
    return moment.astimezone(UTC) if now < moment <= now + _LONGEST else None
