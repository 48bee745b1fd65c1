"""The stored events behind the groups of a view, for rows that a user brings."""
