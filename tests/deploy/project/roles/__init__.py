"""Mirrors `deploy/project/roles/`."""
