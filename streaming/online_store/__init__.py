"""The online store, Redis: one connection, commits by compare-and-set, where every shard stands."""
