"""A small media library: search for tracks, keep a queue."""
