"""Mirrors `training/models/graph/`."""
