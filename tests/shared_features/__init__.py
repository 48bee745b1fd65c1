"""Mirrors `shared_features/`."""
