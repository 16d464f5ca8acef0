"""The pure core: decisions as functions on frozen data; no I/O, no clock, no logging."""
