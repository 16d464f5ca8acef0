"""The play queue."""

from playback.search import Track


class Queue:
    """Tracks in the order in which they will be played."""

    def __init__(self) -> None:
        self._tracks: list[Track] = []

    def add(self, track: Track) -> None:
        self._tracks.append(track)

    def next(self) -> Track | None:
        """Takes the next track off the queue, or returns None when it is empty."""
        return self._tracks.pop(0) if self._tracks else None
