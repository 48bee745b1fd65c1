"""Answers requests with predictions: online features from Redis, on-demand functions, a model from the registry."""
