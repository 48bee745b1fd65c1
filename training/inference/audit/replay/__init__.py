"""Stored features again: the events that position vectors hold, read once and replayed in their order."""
