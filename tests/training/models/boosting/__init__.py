"""Mirrors `training/models/boosting/`."""
