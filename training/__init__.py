"""Training: from the offline store to a certified model in the registry."""
