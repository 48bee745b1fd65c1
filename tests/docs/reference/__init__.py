"""The reference: pages that are written from the code. `python -m tests.docs.reference` writes all of them."""
