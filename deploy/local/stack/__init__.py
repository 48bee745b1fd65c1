"""A stack as it is known: its directory, where each of its parts stands, and the processes behind it."""
