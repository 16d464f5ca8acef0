"""An embedded Slack-compatible workspace; knows Slack and nothing of the bot."""
