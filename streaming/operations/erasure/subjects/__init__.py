"""Whose data is erased: how entities are named, which keys carry them, and the conditions for their rows."""
