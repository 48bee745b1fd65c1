"""The local stack: what goes up, what is refused, and what outlives a restart."""
