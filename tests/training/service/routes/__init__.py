"""Mirrors `training/service/routes/`."""
