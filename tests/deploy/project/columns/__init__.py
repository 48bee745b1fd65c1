"""Mirrors `deploy/project/columns/`."""
