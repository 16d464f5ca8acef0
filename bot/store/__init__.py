"""SQLite behind plain functions: one writer thread, group commit, one file for each group of tables."""
