"""Mirrors `shared_features/compilation/`."""
