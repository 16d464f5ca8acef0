"""Everything that knows Slack's JSON: payloads in, blocks out."""
