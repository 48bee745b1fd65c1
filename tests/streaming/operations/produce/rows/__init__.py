"""Mirrors `streaming/operations/produce/rows/`."""
