"""Regressions run on the same board as the tests of the services."""

from __future__ import annotations

from tests.bot.conftest import _nothing_blocks_the_loop, board

__all__ = ["_nothing_blocks_the_loop", "board"]
