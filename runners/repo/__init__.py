"""Git and what is run on it: worktrees, reviews, merges, checks. Nothing here knows of agents."""
