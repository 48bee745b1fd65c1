"""Delta to Delta: events replayed in the order of their effect, into feature rows and state snapshots."""
