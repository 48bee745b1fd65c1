"""The times that rows hold: what they span, and in which order they arrive."""
