"""Mirrors `streaming/operations/erasure/subjects/`."""
