"""``ask`` for everybody: the runner's local door, the tool ``ask_human`` behind it, and ``switchboard ask``."""
