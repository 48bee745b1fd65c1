"""Which column of a file plays which role in an event."""
