"""Mirrors `shared_features/definitions/field_types/`."""
