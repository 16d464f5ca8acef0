"""The way to the bot: what happened is kept on disk until the bot has it."""
