"""Mirrors `shared_features/definitions/functions/`."""
