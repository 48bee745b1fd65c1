"""A new project: what is guessed from a file, and that what is written works."""
