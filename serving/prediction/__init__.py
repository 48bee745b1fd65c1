"""Predictions: concurrent requests share a round trip and a matrix, and each gets its own answer."""
