"""Search over track titles and artists."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Track:
    title: str
    artist: str


def search(tracks: list[Track], words: str) -> list[Track]:
    """Tracks whose title or artist contains every word, in the given order."""
    wanted = words.casefold().split()
    return [track for track in tracks if all(word in _text(track) for word in wanted)]


def _text(track: Track) -> str:
    return f"{track.title} {track.artist}".casefold()
