"""Mirrors `shared_features/formats/`."""
