"""Mirrors `shared_features/definitions/groups/`."""
