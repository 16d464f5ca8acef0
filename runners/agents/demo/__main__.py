"""``python -m runners.agents.demo``: speaks ACP on standard input and output until its input ends."""

from __future__ import annotations

import asyncio
import contextlib

from runners.agents.demo.agent import serve

if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError, ConnectionError):
        asyncio.run(serve())
