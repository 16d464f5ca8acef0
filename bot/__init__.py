"""Switchboard's bot: routes decisions of coding-agent sessions to people in Slack and carries the answers back."""

__version__ = "0.1.0"
