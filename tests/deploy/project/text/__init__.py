"""Mirrors `deploy/project/text/`."""
