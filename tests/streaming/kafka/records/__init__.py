"""Mirrors `streaming/kafka/records/`."""
