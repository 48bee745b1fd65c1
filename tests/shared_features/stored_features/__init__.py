"""Mirrors `shared_features/stored_features/`."""
