"""Sessions that people run by hand in a terminal: how they come on the board, and how they leave it."""
