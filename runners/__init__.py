"""Hosts and runners: the processes next to the worktrees that drive coding agents and talk to the bot."""
