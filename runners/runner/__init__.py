"""The runner: one process beside each worktree; one session's life, from its first prompt to its end."""
