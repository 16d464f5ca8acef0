"""The bot's side of the wire: hosts and runners connect here. Speaks frames; knows services only by the Links port."""
