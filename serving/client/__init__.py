"""`python -m serving predict`: asks a running endpoint, and shows its answer to a person."""
