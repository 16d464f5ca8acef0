"""Codex, driven natively through ``codex app-server``."""
