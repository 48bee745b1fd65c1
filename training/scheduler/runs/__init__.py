"""The durable runs as people and other programs see them, with those that were done elsewhere."""
