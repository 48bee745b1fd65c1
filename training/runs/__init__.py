"""Training runs: the steps, in their order."""
