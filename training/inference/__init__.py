"""Batch prediction: what a version of the registry says of many rows."""
