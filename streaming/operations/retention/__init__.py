"""Retention: deletes old days of the events tables, unless something still needs them."""
