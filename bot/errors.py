"""Every exception of the bot derives from one root.

SwitchboardError
├── StoreError           the database could not do its work
│   ├── SchemaTooNew     the file was written by a newer Switchboard
│   └── StoreClosed      the database is closed
└── ScheduleError        a digest schedule that cannot be used
"""

from __future__ import annotations


class SwitchboardError(Exception):
    """The root of all errors of the bot. Its text names the thing and the fix."""


class StoreError(SwitchboardError):
    """The database could not do its work."""


class SchemaTooNew(StoreError):
    """The file was written by a newer Switchboard."""


class StoreClosed(StoreError):
    """The database is closed; nothing was written."""


class ScheduleError(SwitchboardError):
    """A digest schedule that cannot be used; the text says what can."""
