"""Mirrors `deploy/demo/traffic/cards/`."""
