"""What a model says of many rows, and what it said: batch prediction, and the audit of the prediction log."""
