"""Mirrors `deploy/embedded/processes/`."""
