"""Mirrors `streaming/kafka/brokers/`."""
