"""Every exception of the bot derives from one root.

SwitchboardError
├── ConfigError          settings that cannot be used
└── StoreError           the database could not do its work
    ├── SchemaTooNew     the file was written by a newer Switchboard
    └── StoreClosed      the database is closed
"""

from __future__ import annotations


class SwitchboardError(Exception):
    """The root of all errors of the bot. Its text names the thing and the fix."""


class ConfigError(SwitchboardError):
    """Settings that cannot be used; the text names each key, its source and the fix."""


class StoreError(SwitchboardError):
    """The database could not do its work."""


class SchemaTooNew(StoreError):
    """The file was written by a newer Switchboard."""


class StoreClosed(StoreError):
    """The database is closed; nothing was written."""
