"""Mirrors `streaming/operations/erasure/stores/`."""
