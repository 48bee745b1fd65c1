"""Mirrors `streaming/operations/produce/times/`."""
