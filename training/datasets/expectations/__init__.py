"""Expectations of a dataset: what they say, and what became of them."""
