"""Logging: structured lines on standard error, for people on a terminal and as JSON elsewhere. No secret passes."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_TOKEN = re.compile(r"\b(?:xox[a-z]|xapp)-[\w-]{4,}|\bsb[hr]_[\w-]{8,}")
"""Slack's token prefixes and our own (``sbh_`` a host's, ``sbr_`` a runner's)."""


def _without_secrets(_logger: object, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = _TOKEN.sub("[secret]", value)
    return event


def configure(level: str = "info") -> None:
    """Set up logging for this process; ``level`` is one of debug, info, warning, error. Call before the loop runs."""
    threshold = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    )
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, _without_secrets, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _without_secrets,
                renderer,
            ],
        )
    )
    # Libraries speak up from warning on: their info is about their own insides.
    logging.basicConfig(level=max(threshold, logging.WARNING), handlers=[handler], force=True)
