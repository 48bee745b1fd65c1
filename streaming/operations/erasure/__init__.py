"""Entities that have to be forgotten, as the law may ask: out of every store, and said so to whatever is rebuilt."""
