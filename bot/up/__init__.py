"""``switchboard up``: everything on one machine with one command, for trying it out and for a person's own laptop."""
