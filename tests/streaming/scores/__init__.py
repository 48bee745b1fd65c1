"""Mirrors `streaming/scores/`."""
