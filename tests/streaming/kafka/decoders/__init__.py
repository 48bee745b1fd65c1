"""Mirrors `streaming/kafka/decoders/`."""
