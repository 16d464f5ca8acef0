"""What can go wrong in the embedded workspace; SlackError carries one of Slack's own error names."""

from __future__ import annotations

from typing import Any


class WorkspaceError(Exception):
    """Root of everything the embedded workspace raises on purpose."""


class SlackError(WorkspaceError):
    """A Web API call was refused; ``fields`` join ``ok`` and ``error`` in the answer."""

    def __init__(self, error: str, **fields: Any) -> None:
        super().__init__(error)
        self.error = error
        self.fields = fields


class PersonError(WorkspaceError):
    """An act-as-a-person call was refused; ``message`` is for a person's eyes."""

    def __init__(self, error: str, message: str, status: int = 400, **fields: Any) -> None:
        super().__init__(f"{error}: {message}")
        self.error = error
        self.message = message
        self.status = status
        self.fields = fields


class NotDelivered(WorkspaceError):
    """The app did not take a payload in time; ``reason`` is Slack's retry reason."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.final = final


class BadManifest(WorkspaceError):
    """The app manifest cannot be used; the text says which key and why."""
