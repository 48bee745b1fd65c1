"""Mirrors `training/models/metrics/`."""
