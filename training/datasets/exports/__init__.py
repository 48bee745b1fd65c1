"""A dataset as a directory of its own: one table, and what is needed to build it again bit for bit."""
