"""Mirrors `shared_features/definitions/sources/`."""
