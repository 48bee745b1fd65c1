"""Mirrors `shared_features/settings/`."""
