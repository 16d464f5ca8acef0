"""Credentials of hosts and runners: prefixes by which logs know them, hashes by which the store does."""

from __future__ import annotations

import hashlib

HOST_TOKEN, RUNNER_TOKEN = "sbh_", "sbr_"


def digest_of(token: str) -> str:
    """What is stored of a token. It is found by this hash alone, so no comparison leaks the token by its timing."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
