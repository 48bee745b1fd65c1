"""Records of a partition: from messages of the client to events in columns and dead letters."""
