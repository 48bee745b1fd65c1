"""Proofs: that no feature knows the future, and how far what is served differs from what had happened."""
