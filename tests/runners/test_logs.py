"""What a host and its runners log holds no secret."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SECRETS = (
    "xoxb-" + "123456789012-abcdefghijkl",
    "xapp-" + "1-A0123-456-abcdef0123456789",
    "sbh_" + "Hk39dkW02kdlwDKW93kd",
    "sbr_" + "Rk39dkW02kdlwDKW93kd",
    "ghp_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8",
)

SPEAKS = """
import logging, sys, structlog
from runners.host.entry import log_to_stderr
log_to_stderr()
log, token = structlog.get_logger(), sys.argv[1]
log.info("plain", token=token)
log.info("nested", env={"TOKEN": token}, argv=("agent", token))
log.info(f"in the words {token}")
try:
    raise ValueError(f"no such token: {token}")
except ValueError:
    log.exception("raised")
    logging.getLogger("asyncio").exception("a library with %s", token)
"""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_log_on_a_full_disk_ends_nothing() -> None:
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run([sys.executable, "-c", SPEAKS + "print('done')", "x"], stderr=full, stdout=subprocess.PIPE)
    assert (ran.returncode, ran.stdout) == (0, b"done\n")


def test_no_token_reaches_a_log() -> None:
    for secret in SECRETS:
        ran = subprocess.run([sys.executable, "-c", SPEAKS, secret], check=True, capture_output=True, text=True)
        assert secret not in ran.stderr + ran.stdout, secret
        for word in ("plain", "nested", "in the words", "raised", "ValueError", "a library"):
            assert word in ran.stderr
