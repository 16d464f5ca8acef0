"""The host: one process on each machine; opens sessions and starts a runner for each."""
