"""Adapters for sessions that people run by hand in a terminal, which leads: nothing here holds it up."""
