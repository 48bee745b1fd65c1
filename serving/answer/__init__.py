"""The answer: predictions, and where each feature of them comes from."""
