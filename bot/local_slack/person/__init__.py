"""The act-as-a-person API, used by the page and by tests; described in docs/embedded-workspace.md."""
