"""Moments as whole microseconds since 1970 UTC: exact, ordered, small."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def from_us(value: int) -> datetime:
    return _EPOCH + timedelta(microseconds=value)


def sound(moment: datetime | None) -> datetime | None:
    """A moment that a peer named, as aware UTC; without a zone it means UTC. None where no calendar has it."""
    try:
        return None if moment is None else moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def maybe(value: int | None) -> datetime | None:
    return None if value is None else from_us(value)
