"""The WebSocket side that hosts and runners connect to."""
