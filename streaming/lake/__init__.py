"""The lake: Delta tables, written once, read by arrival, compacted."""
