"""Mirrors `shared_features/definitions/changes/`."""
