"""The Web API: ``/api/<method>``, with Slack's arguments, scopes, errors and shapes."""
