"""Adapters: each drives one kind of coding agent behind the port in `base`."""
