"""SQLite behind one writer thread; one file per table group."""
