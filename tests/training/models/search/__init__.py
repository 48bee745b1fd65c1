"""Mirrors `training/models/search/`."""
