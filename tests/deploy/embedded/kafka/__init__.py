"""Mirrors `deploy/embedded/kafka/`."""
