"""Mirrors `shared_features/definitions/catalogue/`."""
