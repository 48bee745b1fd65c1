"""Mirrors `shared_features/definitions/views/`."""
