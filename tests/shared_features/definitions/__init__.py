"""Mirrors `shared_features/definitions/`."""
