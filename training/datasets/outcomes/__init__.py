"""The rows of a view's own events: where each lies in the tables, what its outcome is, and its values."""
