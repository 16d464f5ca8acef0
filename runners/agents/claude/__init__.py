"""Claude Code as an ``Agent``: one process of its own in a holder, spoken to by its stream of JSON lines."""
