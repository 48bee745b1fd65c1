"""The online store in Redis: the connection, commits by compare-and-set, and the positions of every shard."""
