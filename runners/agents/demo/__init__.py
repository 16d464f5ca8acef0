"""The demo agent: a real ACP agent process that needs no account. It plays a story or any script (docs/agents.md)."""
