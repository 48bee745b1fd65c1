"""The request: from the bytes of a body to columns, and what is wrong with a body in words."""
